"""Masks that do not hold numbers: colours, and one file a class."""
