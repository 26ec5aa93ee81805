"""Where files are: the disk, the web, object stores, databases. One kind of place a module."""
