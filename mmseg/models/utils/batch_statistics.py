"""A check for norms in training that see a single value per channel, and so no statistics."""
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from mmcv_replace.ops import shares_statistics
from mmcv_replace.utils.errors import ArgumentError


def check_statistics(norm: nn.Module | None, images: int, values: int, place: str) -> None:
    """Raise ArgumentError for a norm that would take statistics of a single value per channel.

    `values` is the number of values per channel of an image (height x width) and `images` that of
    images; `place` names the layer in the message. A batch norm in training takes them over all
    images, an instance norm of each image, also in a test unless it tracks them. A SyncBN over
    several processes passes: each contributes at least one value.
    """
    # The numbers of values come last: they may be symbols while a model is exported.
    if isinstance(norm, _BatchNorm):
        if not norm.training or images * values > 1 or shares_statistics(norm):
            return
        raise ArgumentError(
            f'{place}: its batch norm sees one value a channel, because the batch is one image and '
            'the map 1 x 1, and has no statistics in training. Set data.samples_per_gpu to 2 or '
            'more (and drop_last=True where the last batch can be smaller), or use a norm without '
            "batch statistics: norm_cfg=dict(type='GN', num_groups=32)")
    if isinstance(norm, _InstanceNorm):
        if norm.track_running_stats and not norm.training or values > 1:
            return
        raise ArgumentError(
            f'{place}: its instance norm sees one value a channel of each image, because the map '
            'is 1 x 1, and would make all of them 0. Use another norm there, such as '
            "norm_cfg=dict(type='BN') or norm_cfg=dict(type='GN', num_groups=32)")
