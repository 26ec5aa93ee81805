"""Parts that several models share."""
from .batch_statistics import check_batch_statistics
from .initial_weights import StartingModule, WrittenWeights, starting_from
from .make_divisible import make_divisible
from .res_layer import ResLayer
from .self_attention_block import SelfAttentionBlock

__all__ = ['ResLayer', 'SelfAttentionBlock', 'StartingModule', 'WrittenWeights',
           'check_batch_statistics', 'make_divisible', 'starting_from']
