"""Predict images that belong to no data set: the command, and the class for programs."""
