"""Initialisations that ship, one file and one model card each."""
