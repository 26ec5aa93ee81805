"""Formats of image files that OpenCV does not read, or not as they are meant."""
