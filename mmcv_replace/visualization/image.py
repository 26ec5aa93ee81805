"""Show images, and draw boxes with labels on them."""
import os
from collections.abc import Sequence

import cv2
import numpy as np

from ..image.io import imread, imwrite
from ..utils.errors import ConfigError
from .color import Color, color_val

Drawable = np.ndarray | str | os.PathLike
Colour = Color | str | tuple[int, int, int] | int | np.ndarray


def imshow(img: Drawable, win_name: str = '', wait_time: float = 0) -> None:
    """Show an image for `wait_time` milliseconds; for 0 until a key or the window is closed.

    Raises ConfigError where no window can be shown.
    """
    img = imread(img)
    try:
        cv2.imshow(win_name, img)
    except cv2.error as error:
        raise ConfigError(f'cannot show a window ({error.err}): this needs a screen and '
                          'opencv-python instead of its headless variant; give out_file, or write '
                          'the image by imwrite') from error
    if wait_time:
        cv2.waitKey(int(wait_time))
        return
    # A key that is waited for without end would keep the program after its window is closed.
    while cv2.waitKey(1) == -1 and cv2.getWindowProperty(win_name, cv2.WND_PROP_VISIBLE) >= 1:
        pass


def imshow_bboxes(img: Drawable, bboxes: np.ndarray | Sequence[np.ndarray],
                  colors: Colour | Sequence[Colour] = 'green', top_k: int = -1,
                  thickness: int = 1, show: bool = True, win_name: str = '', wait_time: float = 0,
                  out_file: str | os.PathLike | None = None) -> np.ndarray:
    """Draw boxes [n, 4 or more] of (x1, y1, x2, y2) on an image, which is returned.

    bboxes: an array, or a list of arrays, each drawn in its colour of `colors`.
    top_k: number of boxes drawn of each array; all if it is not positive.
    show, win_name, wait_time: see `imshow`.
    out_file: file to write the image to.
    """
    groups = [bboxes] if isinstance(bboxes, np.ndarray) else bboxes
    colors = [colors] * len(groups) if isinstance(colors, str | Color | tuple | int | np.ndarray
                                                  ) else colors
    if len(colors) != len(groups):
        raise ConfigError(f'imshow_bboxes: {len(groups)} arrays of boxes, but {len(colors)} '
                          'colours: give one colour, or one for each array')
    img = np.ascontiguousarray(imread(img))
    for boxes, color in zip(groups, map(color_val, colors), strict=True):
        for box in boxes[:top_k if top_k > 0 else None].astype(np.int32):
            _draw_box(img, box, color, thickness)
    return _hand_over(img, show, win_name, wait_time, out_file)


def imshow_det_bboxes(img: Drawable, bboxes: np.ndarray, labels: np.ndarray,
                      class_names: Sequence[str] | None = None, score_thr: float = 0,
                      bbox_color: Colour = 'green', text_color: Colour = 'green',
                      thickness: int = 1, font_scale: float = 0.5, show: bool = True,
                      win_name: str = '', wait_time: float = 0,
                      out_file: str | os.PathLike | None = None) -> np.ndarray:
    """Draw boxes with the names of their classes on an image, which is returned.

    bboxes: [n, 4] of (x1, y1, x2, y2), or [n, 5] with a score, which is written too.
    labels: [n], indices in `class_names`.
    score_thr: boxes with a score up to this are left out; it needs scores.
    show, win_name, wait_time: see `imshow`.
    out_file: file to write the image to.
    """
    _check_boxes(bboxes, labels, score_thr)
    if score_thr > 0:
        chosen = bboxes[:, 4] > score_thr
        bboxes, labels = bboxes[chosen], labels[chosen]
    img = np.ascontiguousarray(imread(img))
    bbox_color, text_color = color_val(bbox_color), color_val(text_color)
    for box, label in zip(bboxes, labels, strict=True):
        corner = box[:4].astype(np.int32)
        _draw_box(img, corner, bbox_color, thickness)
        text = f'cls {label}' if class_names is None else class_names[label]
        text += f'|{box[4]:.02f}' if len(box) > 4 else ''
        place = (int(corner[0]), int(corner[1]) - 2)
        cv2.putText(img, text, place, cv2.FONT_HERSHEY_COMPLEX, font_scale, text_color)
    return _hand_over(img, show, win_name, wait_time, out_file)


def _check_boxes(bboxes: np.ndarray, labels: np.ndarray, score_thr: float) -> None:
    if bboxes.ndim != 2 or bboxes.shape[1] not in (4, 5) or labels.shape != bboxes.shape[:1]:
        raise ConfigError(f'boxes {list(bboxes.shape)} and labels {list(labels.shape)}: give '
                          '[n, 4] or [n, 5], and [n]')
    if score_thr > 0 and bboxes.shape[1] != 5:
        raise ConfigError(f'score_thr={score_thr} needs boxes [n, 5] with scores, not '
                          f'{list(bboxes.shape)}')


def _draw_box(img: np.ndarray, box: np.ndarray, color: tuple[int, int, int],
              thickness: int) -> None:
    x1, y1, x2, y2 = box[:4].tolist()
    cv2.rectangle(img, (x1, y1), (x2, y2), color, thickness=thickness)


def _hand_over(img: np.ndarray, show: bool, win_name: str, wait_time: float,
               out_file: str | os.PathLike | None) -> np.ndarray:
    if show:
        imshow(img, win_name, wait_time)
    if out_file is not None:
        imwrite(img, out_file)
    return img
