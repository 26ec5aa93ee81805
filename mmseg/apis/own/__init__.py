"""Data of one's own: `own_data` of a config, its options, and what follows in the config."""
