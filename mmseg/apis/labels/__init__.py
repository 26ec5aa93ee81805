"""One contract for labels: data sets, pipelines, heads and losses agree before the first step."""
