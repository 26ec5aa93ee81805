"""Convert the published archives of data sets to the layout that the configs expect."""
