"""Paint label maps over images."""
import os
from collections.abc import Sequence

import cv2
import numpy as np

from mmcv_replace.image import imread, to_displayable
from mmcv_replace.utils.errors import ConfigError, DataError

from .legend import add_legend

# What black classes are painted in: the one that is least like the other colours.
TINTS = ((224, 224, 224), (160, 160, 160), (255, 240, 170), (190, 220, 255))


def paint(img: np.ndarray, label_map: np.ndarray, palette: Sequence[Sequence[int]],
          opacity: float, legend: bool = False, names: Sequence[str] | None = None) -> np.ndarray:
    """Blend the classes' RGB colours into an image [H, W] or [H, W, C], see `to_displayable`.

    Returns BGR [H, W, 3] uint8. `opacity` in (0, 1] is the share of the colour. A class whose
    colour is black, as the first of most palettes, is painted in a light tint: black over an image
    is no colour, only a darker image. Labels beyond the palette are black. `legend` adds the
    `names` of the classes, see `add_legend`.
    """
    _check_labels(label_map)
    if not 0 < opacity <= 1:
        raise ConfigError(f'opacity={opacity} must be above 0 and at most 1')
    if img.shape[:2] != label_map.shape:
        raise DataError(f'the image is {img.shape[0]} x {img.shape[1]}, the label map '
                        f'{" x ".join(map(str, label_map.shape))}: they must have the same size')
    given = np.array(palette, np.uint8)
    if given.ndim != 2 or given.shape[1] != 3:
        raise ConfigError(f'the palette has shape {given.shape}: give one (red, green, blue) a '
                          'class')
    given[~given.any(axis=1)] = _tint(given)
    colors = np.zeros((max(len(given), int(label_map.max(initial=0)) + 1), 3), np.uint8)
    colors[:len(given)] = given[:, ::-1]
    blended = to_displayable(img) * (1 - opacity) + colors[label_map] * opacity
    painted = blended.astype(np.uint8)
    return add_legend(painted, label_map, colors, names) if legend else painted


def _check_labels(label_map: object) -> None:
    if not isinstance(label_map, np.ndarray) or label_map.dtype.kind not in 'iu' or (
            label_map.min(initial=0) < 0):
        kind = label_map.dtype if isinstance(label_map, np.ndarray) else type(label_map).__name__
        raise DataError('a result is a label map, an array [H, W] of whole numbers from 0 on, as '
                        f'inference_segmentor returns them; this one is {kind}')


def _tint(colors: np.ndarray) -> tuple[int, int, int]:
    """RGB of the tint that is furthest from the palette's colours [N, 3]."""
    others = colors[colors.any(axis=1)].astype(int)
    return max(TINTS, key=lambda tint: min(
        (np.abs(other - tint).sum() for other in others), default=0))


def read_picture(img: str | os.PathLike | np.ndarray) -> np.ndarray:
    """An image file in colour, or as it is stored where it has no colours; arrays stay."""
    try:
        return imread(img)
    except DataError:
        try:
            return imread(img, 'unchanged')
        except DataError:
            pass
        raise


def show_window(img: np.ndarray, title: str, wait_time: float) -> None:
    """Show a BGR image for `wait_time` seconds, or until a key is pressed when it is 0."""
    try:
        cv2.imshow(title, img)
        cv2.waitKey(int(wait_time * 1000))
        cv2.destroyWindow(title)
    except cv2.error as error:
        raise ConfigError('no window can be opened here (headless OpenCV or no display): write '
                          'the picture with out_file or --show-dir instead') from error
