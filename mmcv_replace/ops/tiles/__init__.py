"""CARAFE's sums as products of small matrices, tile by tile."""
