"""Samples of feature maps, as weighted sums of the rows of a table."""
