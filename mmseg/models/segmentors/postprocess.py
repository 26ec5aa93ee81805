"""From what the network sees (padded, resized, flipped) back to each image's own pixels."""
from collections.abc import Iterator, Sequence

from torch import Tensor

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

FLIP_AXES = {'horizontal': (-1,), 'vertical': (-2,), 'diagonal': (-2, -1)}


def parts_of_equal_size(
    img: Tensor, img_metas: Sequence[dict]
) -> Iterator[tuple[list[int], Tensor, list[dict]]]:
    """Split a batch by `pad_shape`: (indices, images [n, C, h, w], metas) of each size.

    `pad_shape` is the size that the pipeline gave an image; what collating added to reach the
    largest of the batch is cut off, so that the batch decides nothing about a prediction.
    """
    members: dict[tuple[int, int], list[int]] = {}
    for i, meta in enumerate(img_metas):
        members.setdefault(tuple(meta.get('pad_shape', img.shape[2:])[:2]), []).append(i)
    for (height, width), indices in members.items():
        chosen = img if len(members) == 1 else img[indices]
        yield indices, chosen[..., :height, :width], [img_metas[i] for i in indices]


def to_original(logits: Tensor, meta: dict, align_corners: bool, rescale: bool = True) -> Tensor:
    """Logits [1, C, H, W] without the padding and, with `rescale`, at the size of the file."""
    height, width = meta.get('img_shape', logits.shape[2:])[:2]
    logits = logits[..., :height, :width]
    size = tuple(meta['ori_shape'][:2])
    if not rescale or size == logits.shape[2:]:
        return logits
    return resize(logits, size, mode='bilinear', align_corners=align_corners, warning=False)


def unflip(maps: Tensor, meta: dict) -> Tensor:
    """Undo the flip of maps [..., H, W] that `meta` tells of."""
    if not meta.get('flip'):
        return maps
    direction = meta.get('flip_direction', 'horizontal')
    if direction not in FLIP_AXES:
        raise ConfigError(f'flip_direction={direction!r} is not known: use one of '
                          f'{", ".join(FLIP_AXES)}')
    return maps.flip(dims=FLIP_AXES[direction])
