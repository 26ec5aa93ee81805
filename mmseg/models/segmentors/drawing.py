"""Paint label maps over images."""
import os
from collections.abc import Sequence

import cv2
import numpy as np

from mmcv_replace.image import imread, to_displayable
from mmcv_replace.utils.errors import ConfigError, DataError


def paint(img: np.ndarray, label_map: np.ndarray, palette: Sequence[Sequence[int]],
          opacity: float) -> np.ndarray:
    """Blend the classes' RGB colours into an image [H, W] or [H, W, C], see `to_displayable`.

    Returns BGR [H, W, 3] uint8. `opacity` in (0, 1] is the share of the colour. Labels beyond the
    palette are black.
    """
    if not 0 < opacity <= 1:
        raise ConfigError(f'opacity={opacity} must be above 0 and at most 1')
    if img.shape[:2] != label_map.shape:
        raise DataError(f'the image is {img.shape[0]} x {img.shape[1]}, the label map '
                        f'{" x ".join(map(str, label_map.shape))}: they must have the same size')
    given = np.asarray(palette, np.uint8)
    if given.ndim != 2 or given.shape[1] != 3:
        raise ConfigError(f'the palette has shape {given.shape}: give one (red, green, blue) a '
                          'class')
    colors = np.zeros((max(len(given), int(label_map.max(initial=0)) + 1), 3), np.uint8)
    colors[:len(given)] = given[:, ::-1]
    blended = to_displayable(img) * (1 - opacity) + colors[label_map] * opacity
    return blended.astype(np.uint8)


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
