"""Whether a checkpoint holds all that a model predicts with."""
from collections.abc import Mapping

import torch
from torch import nn

from mmcv_replace.utils.errors import CheckpointError

SHOWN = 4
# What training alone uses, and what old checkpoints lack.
UNUSED = ('auxiliary_head', 'loss_decode', 'num_batches_tracked')


def check_loaded(model: nn.Module, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Raise CheckpointError where a head or another part would predict with random weights.

    `weights` may be without content, on the device meta.
    """
    theirs = {str(key).removeprefix('module.'): getattr(value, 'shape', None)
              for key, value in weights.items()}
    lacking = [f'{key} {list(value.shape)}' + (f' ({list(theirs[key])} in the checkpoint)'
                                               if theirs.get(key) is not None else '')
               for key, value in model.state_dict().items()
               if theirs.get(key) != value.shape and not set(UNUSED) & set(key.split('.'))]
    if lacking:
        more = f' and {len(lacking) - SHOWN} more' if len(lacking) > SHOWN else ''
        raise CheckpointError(
            f'{source} lacks weights that the model predicts with: {", ".join(lacking[:SHOWN])}'
            f'{more}. They would be random: give the checkpoint that was trained with this config, '
            'or make num_classes and the other settings of the model those of the checkpoint; '
            'match_weights=False predicts regardless')
