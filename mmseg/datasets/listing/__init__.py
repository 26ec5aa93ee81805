"""Which samples a data set has: from folders, lists, or both."""
