"""From the logits of an image to its segmentation map, and the scores if asked for."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmseg.core import ScoreKind
from mmseg.ops import class_probabilities, is_positive, resize

from .between import Between, pixels_between
from .postprocess import unflip
from .slide import Span

# Large maps of logits are processed in blocks of this size.
BLOCK_BYTES = 2**25

# A segmentation map, or a pair of it and its scores.
Result = np.ndarray | tuple[np.ndarray, np.ndarray]


def predicted_classes(values: Tensor, threshold: float | None = None) -> Tensor:
    """Classes [H, W] with the largest values of [1, C, H, W], the first of equal ones.

    For C = 1 the values are probabilities of class 1, which is predicted above `threshold`. Returns
    uint8 for up to 256 classes and int32 beyond.
    """
    if values.size(1) == 1:
        return is_positive(values, threshold)[0].to(torch.uint8)
    # On the host `max` takes a quarter of the time of `argmax`.
    return values.max(dim=1).indices[0].to(torch.uint8 if values.size(1) <= 256 else torch.int32)


def scores_of(probabilities: Tensor, classes: Tensor, kind: ScoreKind) -> Tensor:
    """Scores of a segmentation map, in float32 on the host; see `Prediction` for their kinds.

    probabilities: [1, C, H, W]; C = 1 stands for class 1 of two. classes: [H, W], the predicted
    ones. Returns [C, H, W], at least for two classes, or the confidence [H, W].
    """
    found = probabilities[0].float()
    if len(found) == 1:
        found = torch.cat([1 - found, found])
    if kind == 'confidence':
        found = found.gather(0, classes.long()[None])[0]
    return found.cpu()


@dataclass
class SegMapBuilder:
    """Makes the segmentation map of one image from its logits, which come from top to bottom."""

    size: tuple[int, int]  # height and width of the map that the network sees
    meta: dict  # how the image was padded, resized and flipped
    rescale: bool  # whether the result has the size of the original image
    align_corners: bool
    # Larger logits are resized and reduced to classes block by block, with a result that is equal
    # up to the rounding of the interpolation.
    max_bytes: float
    threshold: float | None = None  # for one logit, see `predicted_classes`
    scores: ScoreKind | None = None  # to compute as well, see `scores_of`
    columns: Span | None = None  # of the result, where no others are made

    def __post_init__(self) -> None:
        self.source = tuple(map(min, self.size, self.meta.get('img_shape', self.size)))
        self.target = tuple(self.meta['ori_shape'][:2]) if self.rescale else self.source
        self._end = 0  # number of source rows added so far
        self._rows: list[Tensor] = []  # the last of them, which later target rows need too
        self._done = 0  # number of target rows that are finished
        self._classes: list[Tensor] = []
        self._scores: list[Tensor] = []

    @property
    def source_columns(self) -> Span:
        """The columns of the logits that the map, or its `columns`, are made of."""
        if self.columns is None or self.source == self.target:
            return self.columns or (0, self.source[1])
        between, (begin, end) = self._between(1, torch.float32), self.columns
        # One more at both sides, as in another precision a pixel may lie between others.
        return (max(0, int(between.first[begin]) - 1),
                min(self.source[1], int(between.second[end - 1]) + 2))

    def add(self, logits: Tensor) -> None:
        """Add the next rows of the logits: [1, C, rows, width], those of `source_columns` alone
        where there are `columns`.
        """
        logits = logits[:, :, :self.source[0] - self._end]
        if self.columns is None:
            logits = logits[..., :self.source[1]]
        self._end += logits.size(2)
        if self.source == self.target:
            self._reduce(logits)
        elif self.columns is None and logits.size(2) == self.source[0] and self._fits(logits):
            self._reduce(resize(logits, self.target, mode='bilinear',
                                align_corners=self.align_corners, warning=False))
        else:
            self._resize_rows(logits)

    def result(self) -> Result:
        """The map [H, W] of `predicted_classes`, and the scores if asked for."""
        classes = unflip(_join(self._classes), self.meta).cpu().numpy()
        assert classes.shape == (self.target[0], self._width)
        if self.scores is None:
            return classes
        return classes, unflip(_join(self._scores), self.meta).numpy()

    def take(self) -> tuple[np.ndarray, np.ndarray | None] | None:
        """The rows of the map that were finished since the last call, and their scores.

        None where there are none. `result` has only those that were not taken. The image is not
        flipped.
        """
        assert not self.meta.get('flip')
        classes, scores = self._classes, self._scores
        self._classes, self._scores = [], []
        if not classes:
            return None
        return _join(classes).cpu().numpy(), _join(scores).numpy() if scores else None

    @property
    def _width(self) -> int:
        first, last = self.columns or (0, self.target[1])
        return last - first

    def _fits(self, logits: Tensor) -> bool:
        values = logits.size(1) * self.target[0] * self._width
        return logits.element_size() * values <= self.max_bytes

    def _block(self, logits: Tensor) -> int:
        """Number of rows of the target's width to process at once."""
        return max(1, BLOCK_BYTES // (logits.element_size() * logits.size(1) * self._width))

    def _reduce(self, logits: Tensor) -> None:
        blocks = [logits] if self._fits(logits) else logits.split(self._block(logits), dim=2)
        for block in blocks:
            values = block if block.size(1) > 1 else class_probabilities(block)
            self._classes.append(predicted_classes(values, self.threshold))
            if self.scores is not None:
                self._scores.append(scores_of(class_probabilities(block.float()),
                                              self._classes[-1], self.scores))
        self._done += logits.size(2)

    def _resize_rows(self, logits: Tensor) -> None:
        """Finish the target rows that lie between source rows added so far."""
        first = self._end - logits.size(2) - sum(part.size(2) for part in self._rows)
        rows = torch.cat([*self._rows, logits], dim=2) if self._rows else logits
        between = self._between(0, logits.dtype).to(logits.device)
        ready = int((between.second < self._end).sum())
        for begin in range(self._done, ready, self._block(logits)):
            mixed = between.part(begin, min(begin + self._block(logits), ready), first).mix(rows, 2)
            self._reduce(self._resize_columns(mixed))
        # A copy: a view would keep the memory of the whole strip.
        self._rows = ([rows[:, :, int(between.first[ready]) - first:].clone()]
                      if ready < self.target[0] else [])

    def _resize_columns(self, mixed: Tensor) -> Tensor:
        if self.columns is not None:
            between = self._between(1, mixed.dtype).part(*self.columns, self.source_columns[0])
            return between.to(mixed.device).mix(mixed, 3)
        return resize(mixed, (mixed.size(2), self.target[1]), mode='bilinear',
                      align_corners=self.align_corners, warning=False)

    def _between(self, axis: int, dtype: torch.dtype) -> Between:
        return pixels_between(self.source[axis], self.target[axis], self.align_corners, dtype)


def _join(blocks: list[Tensor]) -> Tensor:
    """Blocks [..., rows, W] below one another; without a copy if there is only one."""
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=-2)
