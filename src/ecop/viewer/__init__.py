"""A page in the browser: choose, fit, look at every step, zoom, listen, turn, compare, download."""
