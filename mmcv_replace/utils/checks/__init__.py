"""Checks of arguments: their names by a signature, their values by the annotations."""
