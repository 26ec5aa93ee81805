"""Where a prediction is right and where it is wrong."""
import numpy as np

from mmcv_replace.utils.errors import DataError

from .text import beside, list_colours

# RGB. They differ in lightness (84, 53 and 26 of 100 in CIELAB), so that people who see no red or
# green, or no colours at all, can tell them apart, also in print. Vermilion is that of the colours
# for the colour-blind by Okabe and Ito, https://jfly.uni-koeln.de/color/.
ERROR_COLOURS = {'right': (209, 209, 209), 'wrong': (213, 94, 0), 'ignored': (62, 62, 62)}


def draw_error_map(seg_map: np.ndarray, truth: np.ndarray, ignore_index: int = 255,
                   legend: bool = False) -> np.ndarray:
    """A BGR picture [H, W, 3] uint8: right pixels light grey, wrong ones orange, ignored ones dark.

    seg_map, truth: [H, W], class indices; pixels whose truth is `ignore_index` are not judged.
    `legend` adds a strip with the meaning of the colours and the share of the pixels of each.
    Raises DataError for maps of different sizes.
    """
    if seg_map.shape != truth.shape or truth.ndim != 2:
        raise DataError(f'the prediction is {" x ".join(map(str, seg_map.shape))}, the truth '
                        f'{" x ".join(map(str, truth.shape))}: an error map needs two label maps '
                        '[H, W] of the same size')
    states = np.where(truth == ignore_index, 2, (seg_map != truth).astype(np.int64))
    colours = np.array(list(ERROR_COLOURS.values()), np.uint8)
    picture = colours[states][..., ::-1].copy()
    if not legend:
        return picture
    shares = np.bincount(states.ravel(), minlength=3) / max(states.size, 1)
    entries = [(f'{name} {100 * share:.1f} %', colour)
               for (name, colour), share in zip(ERROR_COLOURS.items(), shares, strict=True)]
    return beside(picture, list_colours(entries, picture.shape[0]))
