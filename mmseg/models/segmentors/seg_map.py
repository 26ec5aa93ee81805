"""From the logits of an image to its label map, in one go or in strips."""
import numpy as np
import torch
from torch import Tensor

from mmseg.ops import class_probabilities, is_positive, resize

from .postprocess import unflip

# How much of a large map of logits is treated at once.
BLOCK_BYTES = 2**25


def arg_max(scores: Tensor) -> Tensor:
    """Class of the largest score, the first of equals: [1, C, H, W] -> [H, W], uint8 if it fits."""
    # On the host `max` takes a quarter of the time of `argmax`.
    return scores.max(dim=1).indices[0].to(torch.uint8 if scores.size(1) <= 256 else torch.int32)


def labels_of(logits: Tensor, threshold: float | None = None) -> Tensor:
    """The predicted classes: [1, C, H, W] -> [H, W].

    For C = 1: 1 where the probability of class 1 exceeds `threshold`, 0 elsewhere.
    """
    if logits.size(1) > 1:
        return arg_max(logits)
    return is_positive(class_probabilities(logits), threshold)[0].to(torch.uint8)


class LabelMap:
    """Label map of one image; takes its logits as they come, from top to bottom.

    `size` (height, width) is that of the map that the network sees; `meta` tells how the image was
    padded, resized and flipped. With `rescale` the label map has the size of the file. Logits of
    more than `max_bytes` are enlarged and reduced to labels block by block, which is the same up to
    the rounding of the interpolation. `threshold` is for one logit, see `labels_of`.
    """

    def __init__(self, size: tuple[int, int], meta: dict, rescale: bool, align_corners: bool,
                 max_bytes: float, threshold: float | None = None) -> None:
        self.meta = meta
        self.align_corners = align_corners
        self.max_bytes = max_bytes
        self.threshold = threshold
        self.source = tuple(map(min, size, meta.get('img_shape', size)))
        self.target = tuple(meta['ori_shape'][:2]) if rescale else self.source
        self._end = 0  # so many rows of the source have come
        self._rows: list[Tensor] = []  # those of them that will be used again
        self._labels: list[Tensor] = []
        self._done = 0  # so many rows of the target have labels

    def add(self, logits: Tensor) -> None:
        """Take the next rows of the map: [1, C, rows, width]."""
        logits = logits[:, :, :self.source[0] - self._end, :self.source[1]]
        self._end += logits.size(2)
        if self.source == self.target:
            self._reduce(logits)
        elif logits.size(2) == self.source[0] and self._fits(logits):
            self._reduce(resize(logits, self.target, mode='bilinear',
                                align_corners=self.align_corners, warning=False))
        else:
            self._resize_rows(logits)

    def result(self) -> np.ndarray:
        """The label map, uint8 up to 256 classes and int32 beyond, on the host."""
        labels = self._labels[0] if len(self._labels) == 1 else torch.cat(self._labels)
        assert labels.shape == self.target
        return unflip(labels, self.meta).cpu().numpy()

    def _fits(self, logits: Tensor) -> bool:
        height, width = self.target
        return logits.element_size() * logits.size(1) * height * width <= self.max_bytes

    def _block(self, logits: Tensor) -> int:
        """How many rows of the target's width to treat at once."""
        return max(1, BLOCK_BYTES // (logits.element_size() * logits.size(1) * self.target[1]))

    def _reduce(self, logits: Tensor) -> None:
        blocks = [logits] if self._fits(logits) else logits.split(self._block(logits), dim=2)
        self._labels += [labels_of(block, self.threshold) for block in blocks]
        self._done += logits.size(2)

    def _resize_rows(self, logits: Tensor) -> None:
        """Finish the rows of the target that lie between rows of the source that have come."""
        first = self._end - logits.size(2) - sum(part.size(2) for part in self._rows)
        rows = torch.cat([*self._rows, logits], dim=2) if self._rows else logits
        upper, lower, weight = self._between(logits)
        ready = int((lower < self._end).sum())
        for begin in range(self._done, ready, self._block(logits)):
            part = slice(begin, min(begin + self._block(logits), ready))
            mixed = torch.lerp(rows[:, :, upper[part] - first].to(weight.dtype),
                               rows[:, :, lower[part] - first].to(weight.dtype),
                               weight[part].unsqueeze(1))
            self._reduce(resize(mixed, (mixed.size(2), self.target[1]), mode='bilinear',
                                align_corners=self.align_corners, warning=False))
        # A copy: a view would keep all that came with it.
        self._rows = ([rows[:, :, int(upper[ready]) - first:].clone()]
                      if ready < self.target[0] else [])

    def _between(self, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For each row of the target the two rows of the source beside it, and the lower's weight.

        In the precision and by the formula of torch's interpolate.
        """
        source, target = self.source[0], self.target[0]
        dtype = torch.promote_types(like.dtype, torch.float32)
        row = torch.arange(target, dtype=dtype)
        if self.align_corners:
            position = row * (torch.tensor(source - 1, dtype=dtype) / max(target - 1, 1))
        else:
            scale = torch.tensor(source, dtype=dtype) / target
            position = (scale * (row + 0.5) - 0.5).clamp(min=0)
        upper = position.long().clamp(max=source - 1)
        lower = (upper + 1).clamp(max=source - 1)
        return (upper.to(like.device), lower.to(like.device),
                (position - upper).clamp(0, 1).to(like.device))
