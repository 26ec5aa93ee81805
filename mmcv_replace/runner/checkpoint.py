"""Saving and loading of checkpoints, under the path of mmcv that user code imports."""
from .checkpoints.files import read_checkpoint, read_meta, save_checkpoint
from .checkpoints.weights import _load_checkpoint, get_state_dict, load_checkpoint, load_state_dict

__all__ = ['_load_checkpoint', 'get_state_dict', 'load_checkpoint', 'load_state_dict',
           'read_checkpoint', 'read_meta', 'save_checkpoint']
