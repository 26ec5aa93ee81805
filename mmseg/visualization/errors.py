"""Where a prediction is right and where it is wrong."""
import numpy as np

from mmcv_replace.utils.errors import DataError

# RGB. They differ in lightness (84, 54 and 26 of 100 in CIELAB), so that people who see no red or
# green, or no colours at all, can tell them apart, on paper too. The vermilion is from the palette
# of Okabe and Ito, https://jfly.uni-koeln.de/color/.
ERROR_COLOURS = {'right': (209, 209, 209), 'wrong': (213, 94, 0), 'ignored': (62, 62, 62)}


def draw_error_map(seg_map: np.ndarray, truth: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """A BGR picture [H, W, 3] uint8: right pixels light grey, wrong ones orange, ignored ones dark.

    seg_map, truth: [H, W], class indices; pixels whose truth is `ignore_index` are not judged.
    Raises DataError for maps of different sizes.
    """
    if seg_map.shape != truth.shape or truth.ndim != 2:
        raise DataError(f'the prediction is {" x ".join(map(str, seg_map.shape))}, the truth '
                        f'{" x ".join(map(str, truth.shape))}: an error map needs two label maps '
                        '[H, W] of the same size')
    states = np.where(truth == ignore_index, np.uint8(2), seg_map != truth)
    colours = np.array(list(ERROR_COLOURS.values()), np.uint8)[:, ::-1]
    return colours[states]
