"""What an evaluation tells hooks: scores, confusion matrix, scores of images, and some pictures."""
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mmcv_replace.image import to_displayable

from .predict import Prediction

# What a hook may ask for, as its `evaluation_needs`.
NEEDS = ('confusion', 'samples', 'pictures', 'worst')
WORST = 20  # images


@dataclass(frozen=True)
class SampleScore:
    """How well one image was predicted; scores are fractions."""

    index: int  # in the data set
    name: str  # file name within the data set
    path: str | None  # file of the image, None without one
    miou: float  # mean of the classes in annotation or prediction; NaN if all pixels are ignored
    accuracy: float  # share of the pixels that are right; NaN as above


class PackedMap(NamedTuple):
    """A label map in a few per cent of its memory."""

    shape: tuple[int, ...]
    dtype: np.dtype
    data: bytes

    @classmethod
    def of(cls, seg_map: np.ndarray) -> 'PackedMap':
        seg_map = np.ascontiguousarray(seg_map)
        return cls(seg_map.shape, seg_map.dtype, zlib.compress(seg_map, level=1))

    def unpack(self) -> np.ndarray:
        return np.frombuffer(zlib.decompress(self.data), self.dtype).reshape(self.shape)


@dataclass
class FixedPicture:
    """A validation image with its annotation and its prediction, from which pictures are made."""

    sample: SampleScore
    packed_map: PackedMap
    packed_truth: PackedMap
    ignore_index: int
    palette: Sequence[Sequence[int]] | None = None  # RGB of the classes
    bands: Sequence[int] | None = None  # of the image that are shown, see `to_displayable`
    load: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    @property
    def seg_map(self) -> np.ndarray:
        """Predicted classes [H, W]."""
        return self.packed_map.unpack()

    @property
    def truth(self) -> np.ndarray:
        """True classes [H, W], and `ignore_index`."""
        return self.packed_truth.unpack()

    def image(self) -> np.ndarray:
        """The original image, BGR [H, W, 3] uint8, read now; what `read_image` raises."""
        meta = {'filename': self.sample.path, 'ori_filename': self.sample.name}
        prediction = Prediction(self.sample.index, self.seg_map, meta, load=self.load)
        return to_displayable(prediction.read_image(), self.bands)

    def panels(self, max_side: int = 512) -> np.ndarray:
        """Image, annotation, prediction and errors side by side, RGB uint8.

        The longer side of each has at most `max_side` pixels.
        """
        from mmseg.visualization import draw_error_map, draw_overlay, side_by_side
        seg_map, truth, image = self.seg_map, self.truth, self.image()
        palette = self.palette or []
        shown = np.where(truth == self.ignore_index, len(palette), truth)  # drawn in black
        picture = side_by_side([
            ('image', image),
            ('annotation', draw_overlay(image, shown, palette, 1)),
            ('prediction', draw_overlay(image, seg_map, palette, 1)),
            ('errors', draw_error_map(seg_map, truth, self.ignore_index))], max_side)
        return picture[..., ::-1]


@dataclass
class Evaluation:
    """What an EvalHook tells the other hooks, of one set of weights.

    It is equal on all processes, except the two lists of pictures, which are complete on the first
    one and empty on the others. What no hook needs, or what is unknown as the data set or the hook
    scores in its own way, is None or empty.
    """

    done: int  # iterations or epochs
    by_epoch: bool
    averaged: bool  # of the averaged weights of an EMAHook
    scores: dict[str, float]  # all of them, those of classes too ('IoU.person')
    classes: tuple[str, ...]
    palette: list[list[int]]  # RGB of the classes; empty if unknown
    groups: tuple[str, ...] = ()  # of classes, that have scores too
    confusion: np.ndarray | None = None  # [C, C] int64, row = true class
    samples: list[SampleScore] = field(default_factory=list)  # in the order of the data set
    # By the name of the sample, in the order of the data set; the same ones each time.
    pictures: dict[str, FixedPicture] = field(default_factory=dict)
    worst: list[FixedPicture] = field(default_factory=list)  # up to WORST, the lowest mIoU first

    def class_scores(self) -> dict[str, float]:
        """The scores of single classes, and of groups of them: 'IoU.person'."""
        known = {*self.classes, *self.groups}
        return {name: value for name, value in self.scores.items()
                if name.partition('.')[2] in known}

    def overall_scores(self) -> dict[str, float]:
        """The other scores, which the log shows."""
        single = self.class_scores()
        return {name: value for name, value in self.scores.items() if name not in single}

    def confusion_picture(self) -> np.ndarray:
        """The confusion matrix, which there must be, as a picture, RGB [H, W, 3] uint8."""
        from mmseg.visualization import draw_confusion
        return draw_confusion(self.confusion, self.classes)[..., ::-1]
