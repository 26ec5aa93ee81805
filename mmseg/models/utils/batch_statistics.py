"""A check for batch norms that see a single value per channel when the batch is one image."""
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcv_replace.ops import shares_statistics
from mmcv_replace.utils.errors import ArgumentError


def check_batch_statistics(norm: nn.Module | None, values: int, place: str) -> None:
    """Raise ArgumentError for a batch norm in training over a single value per channel.

    `values` is the number of values per channel (batch x height x width); `place` names the layer
    in the message. A SyncBN over several processes passes: each contributes at least one value.
    """
    # The number of values comes last: it may be a symbol while a model is exported.
    if not isinstance(norm, _BatchNorm) or not norm.training or values > 1 or (
            shares_statistics(norm)):
        return
    raise ArgumentError(
        f'{place}: its batch norm sees one value a channel, because the batch is one image and '
        'the map 1 x 1, and has no statistics in training. Set data.samples_per_gpu to 2 or more '
        '(and drop_last=True where the last batch can be smaller), or use a norm without batch '
        "statistics: norm_cfg=dict(type='GN', num_groups=32)")
