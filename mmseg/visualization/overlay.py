"""Draw segmentation maps over images."""
import os
from collections.abc import Sequence
from contextlib import suppress

import cv2
import numpy as np

from mmcv_replace.image import as_bands, imread, to_displayable
from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.utils.errors import ConfigError, DataError

from .blend import blend
from .colours import class_colours
from .legend import add_legend


def draw_overlay(img: np.ndarray, seg_map: np.ndarray, palette: Sequence[Sequence[int]] | None,
                 opacity: float, legend: bool = False, names: Sequence[str] | None = None,
                 bands: Sequence[int] | None = None, ignore_index: int | None = None
                 ) -> np.ndarray:
    """Blend the colours of the classes into an image; returns a BGR picture [H, W, 3] uint8.

    img: [H, W] or [H, W, C] of any type, of which `bands` are shown, see `to_displayable`.
    seg_map: [H, W], class indices.
    palette: one RGB colour per class, of which black is replaced by a light tint, see
    `class_colours`; classes beyond the palette are black. None gives all classes colours.
    opacity: share of the colour, in (0, 1]. `legend` adds a list of the classes, see `add_legend`.
    ignore_index: a label that is no class: it is black, and the legend calls it ignored.
    """
    _check_seg_map(seg_map)
    if not 0 < opacity <= 1:
        raise ConfigError(f'opacity={opacity} must be above 0 and at most 1')
    if img.shape[:2] != seg_map.shape:
        raise DataError(f'the image is {img.shape[0]} x {img.shape[1]}, the label map '
                        f'{" x ".join(map(str, seg_map.shape))}: they must have the same size')
    colours = class_colours(palette, _number(seg_map, ignore_index) if palette is None
                            else len(palette))
    picture = blend(to_displayable(img, bands), seg_map, colours[:, ::-1], opacity, ignore_index)
    return add_legend(picture, seg_map, colours, names, ignore_index) if legend else picture


def _check_seg_map(seg_map: object) -> None:
    if not isinstance(seg_map, np.ndarray):
        fault = type(seg_map).__name__
    elif seg_map.dtype.kind not in 'iu' or seg_map.ndim != 2:
        fault = f'{seg_map.dtype} {list(seg_map.shape)}'
    elif seg_map.min(initial=0) < 0:
        fault = f'of values from {seg_map.min()} on'
    else:
        return
    raise DataError('a result is a label map, an array [H, W] of whole numbers from 0 on, as '
                    f'inference_segmentor returns them; this one is {fault}')


def _number(seg_map: np.ndarray, ignore_index: int | None) -> int:
    """Number of classes up to the highest one in a label map."""
    labels = np.unique(seg_map).tolist()
    return max((label + 1 for label in labels if label != ignore_index), default=0)


def read_picture(img: str | os.PathLike | np.ndarray, channels: int | None = None) -> np.ndarray:
    """Read an image file, in colour if it has colours; an array is returned as it is.

    With `channels` all bands are read in the order of the file, see `as_bands`.
    """
    if channels is not None:
        name = 'the array' if isinstance(img, np.ndarray) else os.fspath(img)
        return as_bands(imread(img, BANDS), channels, name)
    try:
        return imread(img)
    except DataError:
        with suppress(DataError):  # the first error is the one to report
            return imread(img, 'unchanged')
        raise


def show_window(img: np.ndarray, title: str, wait_time: float,
                remedy: str = 'write the picture with out_file or --show-dir instead') -> None:
    """Show a BGR image for `wait_time` seconds, or until a key is pressed if it is 0.

    Raises ConfigError, which ends with `remedy`, where there are no windows.
    """
    try:
        cv2.imshow(title, img)
        cv2.waitKey(int(wait_time * 1000))
        cv2.destroyWindow(title)
    except cv2.error as error:
        raise ConfigError('no window can be opened here (headless OpenCV or no display): '
                          f'{remedy}') from error
