"""Convert aerial images: tiles that are cut into windows, labels in colours, zips in zips."""
