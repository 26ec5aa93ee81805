"""The published models: their configs, scores and weights."""
from .models import PublishedModel, find_model, published_models, published_weights

__all__ = ['PublishedModel', 'find_model', 'published_models', 'published_weights']
