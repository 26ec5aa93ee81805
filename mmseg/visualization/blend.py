"""Colours of classes blended into images, by a table of all results."""
import numpy as np

BLOCK = 2**16  # pixels that are blended at once, whose indices stay in the processor's cache


def blend(img: np.ndarray, seg_map: np.ndarray, colours: np.ndarray, opacity: float,
          ignore_index: int | None = None) -> np.ndarray:
    """`img * (1 - opacity) + colour * opacity`, without fractions, as uint8 [H, W, 3].

    img: [H, W, 3] uint8. seg_map: [H, W], class indices. colours: [K, 3] uint8 of the classes 0 to
    K - 1, channels as in the image; other labels and `ignore_index` are black. Computed in float64,
    but once for each class and value, so that a pixel costs three look-ups and no memory.
    """
    black = len(colours)
    colours = np.vstack([colours, np.zeros((1, 3), np.uint8)])
    mixed = np.arange(256)[:, None, None] * (1 - opacity) + colours * opacity  # [256, K + 1, 3]
    tables = mixed.astype(np.uint8).transpose(2, 1, 0).reshape(3, -1)
    picture = np.empty(img.shape, np.uint8)
    rows = max(1, BLOCK // max(1, seg_map.shape[1]))
    for top in range(0, len(seg_map), rows):
        block = slice(top, top + rows)
        place = seg_map[block].astype(np.intp)
        place[place > black] = black
        if ignore_index is not None:
            place[place == ignore_index] = black
        place *= 256
        for channel, table in enumerate(tables):
            picture[block, :, channel] = table.take(place + img[block, :, channel])
    return picture
