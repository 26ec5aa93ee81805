"""Undo the padding, resizing and flipping of images in the logits of the network."""
from collections.abc import Iterator, Sequence

from torch import Tensor

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

FLIP_AXES = {'horizontal': (-1,), 'vertical': (-2,), 'diagonal': (-2, -1)}


def parts_of_equal_size(
    img: Tensor, img_metas: Sequence[dict],
) -> Iterator[tuple[list[int], Tensor, list[dict]]]:
    """Split a batch by image size: (indices, images [n, C, h, w], metas) of each size.

    The size is `pad_shape`, which the pipeline gave the image. What collating added to reach the
    largest size in the batch is cut off, so that a prediction does not depend on the batch.
    """
    members: dict[tuple[int, int], list[int]] = {}
    for i, meta in enumerate(img_metas):
        members.setdefault(tuple(meta.get('pad_shape', img.shape[2:])[:2]), []).append(i)
    for (height, width), indices in members.items():
        chosen = img if len(members) == 1 else img[indices]
        yield indices, chosen[..., :height, :width], [img_metas[i] for i in indices]


def to_original(logits: Tensor, meta: dict, align_corners: bool, rescale: bool = True) -> Tensor:
    """Logits [1, C, H, W] without padding and, with `rescale`, at the original size."""
    height, width = meta.get('img_shape', logits.shape[2:])[:2]
    logits = logits[..., :height, :width]
    size = tuple(meta['ori_shape'][:2])
    if not rescale or size == logits.shape[2:]:
        return logits
    return resize(logits, size, mode='bilinear', align_corners=align_corners, warning=False)


def unflip(maps: Tensor, meta: dict) -> Tensor:
    """Undo the flip of maps [..., H, W]; ConfigError for an unknown `flip_direction` of `meta`."""
    if not meta.get('flip'):
        return maps
    direction = meta.get('flip_direction', 'horizontal')
    if direction not in FLIP_AXES:
        raise ConfigError(f'flip_direction={direction!r} is not known: use one of '
                          f'{", ".join(FLIP_AXES)}')
    return maps.flip(dims=FLIP_AXES[direction])
