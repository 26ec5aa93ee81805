"""One synthetic scene: a cluttered background, a few overlapping objects, and their mask."""
from dataclasses import dataclass

import cv2
import numpy as np

from .appearance import NUM_OBJECT_CLASSES, appearance_of

VOID = 255
# Width in pixels of the unlabelled border around objects, as in VOC's masks.
BORDER = 3


@dataclass(frozen=True)
class Scene:
    """image: [H, W, 3] BGR uint8; labels: [H, W] uint8, 0 = background."""

    image: np.ndarray
    labels: np.ndarray

    def with_void(self) -> np.ndarray:
        """The labels with VOID along every border between two classes."""
        kernel = np.ones((BORDER, BORDER), np.uint8)
        edge = cv2.dilate(self.labels, kernel) != cv2.erode(self.labels, kernel)
        return np.where(edge, np.uint8(VOID), self.labels)


def make_scene(seed: int, index: int, size: int) -> Scene:
    """Scene number `index`; the longer side has `size` pixels. Depends on the arguments alone."""
    rng = np.random.default_rng((seed, index))
    short = int(size * rng.uniform(0.75, 1.0))
    shape = (size, short) if rng.random() < 0.5 else (short, size)
    canvas = _background(rng, shape)
    labels = np.zeros(shape, np.uint8)
    # The first class cycles through all, so that a small set shows every class often enough.
    classes = [index % NUM_OBJECT_CLASSES + 1]
    classes += list(rng.integers(1, NUM_OBJECT_CLASSES + 1, rng.integers(3, 6)))
    for label in rng.permutation(classes):
        _paint_object(rng, canvas, labels, int(label))
    canvas *= rng.uniform(0.8, 1.1)
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 0.8))
    canvas += rng.normal(0, 4, canvas.shape).astype(np.float32)
    return Scene(np.clip(canvas, 0, 255).astype(np.uint8), labels)


def _background(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Greyish clouds and flat patches in random colours: [H, W, 3] float32."""
    canvas = np.zeros((*shape, 3), np.float32)
    for cells in (3, 8, 24):
        noise = rng.uniform(0, 160 / cells**0.5, (cells, cells, 3)).astype(np.float32)
        canvas += cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)
    canvas = 0.35 * canvas + 0.65 * canvas.mean(axis=2, keepdims=True)
    for _ in range(rng.integers(3, 8)):
        corners = rng.uniform(0, 1, (1, 2)) + rng.uniform(-0.2, 0.2, (rng.integers(3, 7), 2))
        points = cv2.convexHull((corners * shape[::-1]).astype(np.int32))
        cv2.fillConvexPoly(canvas, points, _color(rng.uniform(0, 360), rng.uniform(0.1, 0.5),
                                                  rng.uniform(0.2, 0.9)))
    return canvas


def _paint_object(rng: np.random.Generator, canvas: np.ndarray, labels: np.ndarray,
                  label: int) -> None:
    """Paint an object at a random place, of random size, rotation, stretch and shading, into
    `canvas` [H, W, 3] and `labels` [H, W].
    """
    height, width = labels.shape
    look = appearance_of(label)
    radius = max(height, width) * rng.uniform(0.15, 0.3)
    center = rng.uniform(0.1, 0.9, 2) * (width, height)
    turn = _rotation(rng.uniform(0, 2 * np.pi))
    points = (look.outline * rng.uniform(0.75, 1.25, 2)) @ turn.T * radius + center
    mask = np.zeros(labels.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)

    period = rng.uniform(7, 11)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) - center
    across, along = np.moveaxis(grid @ _rotation(rng.uniform(0, 2 * np.pi)) / period, -1, 0)
    field = look.texture(across, along, rng)
    hue = look.hue + rng.uniform(-5, 5)
    light, dark = (np.array(_color(hue, *tone)) for tone in look.tones)
    blend = np.clip(0.5 + field, 0, 1)[..., None]
    shade = 1 + 0.15 * np.clip((grid @ turn[0]) / radius, -1, 1)[..., None]
    paint = (dark + blend * (light - dark)) * shade
    inside = mask.astype(bool)
    canvas[inside] = paint[inside]
    labels[inside] = label


def _rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _color(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """BGR in 0 to 255 of a hue in degrees, saturation and value in 0 to 1."""
    pixel = np.array([[[hue % 360, saturation, value]]], np.float32)
    return tuple((255 * cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0]).tolist())
