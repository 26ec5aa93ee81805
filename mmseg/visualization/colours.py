"""Colours of classes: the colour map of Pascal VOC, and distinct colours where there is no palette.
"""
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from mmcv_replace.utils.errors import ConfigError

# RGB colours that replace black; the one that differs most from the rest of the palette is taken.
TINTS = ((224, 224, 224), (160, 160, 160), (255, 240, 170), (190, 220, 255))
VOC_CLASSES = 21  # colours of VOC's that are used: later ones are hard to tell from earlier ones
STEP = 17  # between the levels of red, green and blue from which further colours are chosen
LIGHTNESS = (20, 97)  # of these, in CIELAB; darker colours hardly show over an image


def voc_colormap(num_colors: int = 256) -> np.ndarray:
    """RGB colours [num_colors, 3] uint8 of VOC's indexed masks.

    Bits 0, 1, 2 of an index are the highest bits of red, green and blue, bits 3, 4, 5 the next
    highest and so on, so that consecutive indices have very different colours.
    """
    index = np.arange(num_colors)
    colors = np.zeros((num_colors, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            colors[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return colors


def class_colours(palette: Sequence[Sequence[int]] | np.ndarray | None,
                  number: int) -> np.ndarray:
    """RGB colours [number, 3] uint8 in which `number` classes are drawn.

    palette: one RGB colour a class; None stands for `distinct_colours`, which also follow where it
    has fewer. Black, the first colour of most palettes, is replaced by a light tint, because it
    would only darken an image. Raises ConfigError for what is no list of colours.
    """
    start = _start(() if palette is None else palette)
    colours = distinct_colours(number, start)
    colours[~colours.any(axis=1)] = _tint(start)
    return colours


def distinct_colours(number: int, first: Sequence[Sequence[int]] | np.ndarray = ()) -> np.ndarray:
    """RGB colours [number, 3] uint8 that begin with `first`, by default with VOC's of 21 classes.

    Each further one is that of the colours of a grid which differs most, in CIELAB, from all
    before it; so a class has the same colour however many follow. Up to 500 differ by 8 at least.
    """
    start = _start(first)
    chosen = _further(tuple(map(tuple, start.tolist())), max(0, number - len(start)))
    return np.concatenate([start, np.array(chosen, np.uint8).reshape(-1, 3)])[:number]


def _start(first: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    return read_palette(first) if len(first) else voc_colormap(VOC_CLASSES)


@lru_cache(maxsize=64)
def _further(start: tuple[tuple[int, ...], ...], number: int) -> list[tuple[int, ...]]:
    grid, places = _grid()
    colours = np.array(start, np.uint8)
    distance = np.full(len(grid), np.inf)
    for place in _cielab(np.vstack([colours, np.array([_tint(colours)], np.uint8)])):
        distance = np.minimum(distance, np.linalg.norm(places - place, axis=1))
    chosen = []
    for _ in range(number):
        best = int(distance.argmax())
        chosen.append(tuple(grid[best].tolist()))
        distance = np.minimum(distance, np.linalg.norm(places - places[best], axis=1))
    return chosen


@lru_cache(maxsize=1)
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """The colours to choose from, in RGB and in CIELAB."""
    levels = np.arange(0, 256, STEP, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing='ij'), axis=-1).reshape(-1, 3)
    places = _cielab(grid)
    visible = (places[:, 0] > LIGHTNESS[0]) & (places[:, 0] < LIGHTNESS[1])
    return grid[visible], places[visible]


def _cielab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0]


def read_palette(palette: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """A palette as an array [N, 3] uint8 of its own; ConfigError for what is none."""
    try:
        colours = np.array(palette, np.int64)
    except (TypeError, ValueError):
        raise ConfigError('the palette holds what is no number: give one (red, green, blue) a '
                          'class') from None
    if colours.size == 0:
        return np.zeros((0, 3), np.uint8)
    if colours.ndim != 2 or colours.shape[1] != 3:
        raise ConfigError(f'the palette has shape {colours.shape}: give one (red, green, blue) a '
                          'class')
    if colours.min() < 0 or colours.max() > 255:
        raise ConfigError(f'the palette holds values from {colours.min()} to {colours.max()}: red, '
                          'green and blue are from 0 to 255')
    return colours.astype(np.uint8)


def _tint(colours: np.ndarray) -> tuple[int, int, int]:
    """The tint (RGB) that is furthest from the colours [N, 3] of a palette, black left out."""
    others = colours[colours.any(axis=1)].astype(int)
    return max(TINTS, key=lambda tint: min(
        (np.abs(other - tint).sum() for other in others), default=0))
