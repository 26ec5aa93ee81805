"""From images to predictions: where images come from, how they go through a model, what is kept."""
