"""Errors, names, recipes, grids and the small mathematics that everything rests on."""
