"""The orientation tag of EXIF and TIFF: how to turn a stored image upright."""
import numpy as np

_INVERSE = {6: 8, 8: 6}  # the others undo themselves


def turn(img: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image [H, W, ...] upright; orientations outside of 1 to 8 leave it as it is."""
    if orientation in (5, 6, 7, 8):
        img = img.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(img[rows, columns])


def unturn(img: np.ndarray, orientation: int) -> np.ndarray:
    """Undo `turn`."""
    return turn(img, _INVERSE.get(orientation, orientation))
