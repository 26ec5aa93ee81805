"""From the published archives of datasets to the layout that the configs expect."""
