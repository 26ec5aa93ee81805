"""The looks of the twenty object classes: each has a hue in two tones, a texture and an outline.

Each hue belongs to two classes, each pair of tones to ten, each texture to five and each outline
to four, so that none of these features alone determines the class.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Maps x and y [H, W], in periods of the texture, to a field [H, W]: light where positive.
Texture = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
NUM_OBJECT_CLASSES = 20
# Degrees. 120 and 270 are left out, as they look too similar to their neighbours.
HUES = (0, 30, 60, 90, 150, 180, 210, 240, 300, 330)


def stripes(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Parallel bands."""
    return np.sin(2 * np.pi * x)


def checks(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A chess board."""
    return 2 * np.sin(np.pi * x) * np.sin(np.pi * y)


def dots(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dark discs on a grid."""
    return 0.9 - np.cos(2 * np.pi * x) - np.cos(2 * np.pi * y)


def speckle(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light grains at random places."""
    grains = cv2.GaussianBlur(rng.standard_normal(x.shape).astype(np.float32), (0, 0), 1.0)
    return 4 * grains - 1.0


def _polygon(radii: Sequence[float]) -> np.ndarray:
    """Corners [N, 2] at equal angles and the given distances [N] from the center."""
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


TEXTURES: tuple[Texture, ...] = (stripes, checks, dots, speckle)
# (saturation, value) of the light and the dark parts of the texture: pastel tones, deep tones.
TONES = (((0.4, 1.0), (0.75, 0.8)), ((0.9, 0.75), (0.95, 0.3)))
# Triangle, square, disc, stars of five and of four points.
OUTLINES = (_polygon([1] * 3), _polygon([1] * 4), _polygon([1] * 24), _polygon([1, 0.45] * 5),
            _polygon([1, 0.4] * 4))


@dataclass(frozen=True)
class Appearance:
    """The look of one class: `hue` in degrees, `tones` (saturation, value) of the light and dark
    parts, `texture`, and `outline` [N, 2], corners in the unit circle.
    """

    hue: float
    tones: tuple[tuple[float, float], tuple[float, float]]
    texture: Texture
    outline: np.ndarray


def appearance_of(label: int) -> Appearance:
    """The look of the class `label`, 1 to 20."""
    half, number = divmod(label - 1, len(HUES))
    return Appearance(
        hue=HUES[number],
        tones=TONES[half],
        texture=TEXTURES[2 * half + number % 2],
        outline=OUTLINES[(number + 2 * half) % len(OUTLINES)])
