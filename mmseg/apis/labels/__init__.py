"""Check that data sets, pipelines, heads and losses agree on the meaning of labels."""
