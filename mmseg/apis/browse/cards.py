"""The pictures of a traced sample: one for each step, reduced, with the labels in colours."""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.utils.errors import UserError
from mmseg.core.utils import nested_datasets
from mmseg.datasets.pipelines.compose import own_pipeline
from mmseg.datasets.pipelines.ignored import DEFAULT
from mmseg.datasets.tracing import StepTrace, Trace, View, difference, leaf_of
from mmseg.visualization import class_colours, draw_overlay
from mmseg.visualization.legend import class_entry
from mmseg.visualization.panels import reduce_to

from .options import BrowseOptions

MAIN_LABEL = 'gt_semantic_seg'
ROUNDING = 1  # how far values of a picture may differ after normalising and undoing it


@dataclass(eq=False)
class Card:
    """A step, and what people see of the sample behind it."""

    step: StepTrace
    picture: np.ndarray | None = None  # BGR [h, w, 3]; None where the step leaves it as it was
    labels: dict[str, np.ndarray] = field(default_factory=dict)  # key -> the label map, reduced
    shares: dict[int, float] = field(default_factory=dict)  # label -> share, where these are new
    inner: list['Card'] = field(default_factory=list)  # of the steps within it


class Painter:
    """Makes the pictures of the samples of a data set."""

    def __init__(self, dataset: Dataset, options: BrowseOptions) -> None:
        self.dataset = dataset
        self.options = options
        self.names: Sequence[str] | None = getattr(dataset, 'CLASSES', None)
        ignored = getattr(dataset, 'ignore_index', None)
        self.ignore_index = DEFAULT if ignored is None else ignored
        palette = getattr(dataset, 'PALETTE', None)
        self.palette = None if palette is None else [list(colour) for colour in palette]
        self.red_first = any(
            getattr(step, 'color_type', None) == BANDS for part in nested_datasets(dataset)
            for step in getattr(own_pipeline(part), 'transforms', ()))

    def cards(self, trace: Trace) -> list[Card]:
        """A card for each step; those of steps that run within another one are in its card."""
        cards: list[Card] = []
        stack: list[Card] = []
        first = next((step.after.img for step in trace.steps
                      if step.after is not None and step.after.img is not None), None)
        of_bytes = first is None or first.dtype == np.uint8 or _holds_bytes(first)
        for step in trace.steps:
            card = Card(step)
            del stack[step.depth:]
            (stack[-1].inner if stack else cards).append(card)
            stack.append(card)
            self._paint(card, of_bytes)
        return cards

    def _paint(self, card: Card, of_bytes: bool) -> None:
        step = card.step
        before = step.before.picture(self.options.bands, self.red_first, of_bytes)
        if step.after is None:
            return
        after = step.after.picture(self.options.bands, self.red_first, of_bytes)
        same_labels = _same_labels(step.before, step.after)
        if difference(before, after) <= ROUNDING and same_labels:
            return
        card.picture = None if after is None else reduce_to(after, self.options.max_side)
        for key, label in step.after.labels.items():
            card.labels[key] = self.reduce_label(label)
        main = step.after.labels.get(MAIN_LABEL)
        if main is not None and not same_labels:
            values, counts = np.unique(main, return_counts=True)
            order = np.argsort(-counts, kind='stable')
            card.shares = {int(values[place]): float(counts[place] / main.size) for place in order}

    def reduce_label(self, label: np.ndarray) -> np.ndarray:
        """A label map whose longer side is at most `max_side`, by the nearest pixel."""
        longest = max(label.shape)
        if longest <= self.options.max_side:
            return label
        size = [max(1, round(edge * self.options.max_side / longest)) for edge in label.shape[::-1]]
        return cv2.resize(label.astype(np.int32), size, interpolation=cv2.INTER_NEAREST)

    def colours_of(self, label: np.ndarray, key: str = MAIN_LABEL) -> np.ndarray:
        """A label map in the colours of its classes, BGR [H, W, 3]."""
        return self._blend(np.zeros(label.shape, np.uint8), label, 1, key)

    def overlay(self, card: Card) -> np.ndarray:
        """The picture of a card with its labels."""
        label = card.labels.get(MAIN_LABEL)
        if card.picture is None or label is None or label.shape != card.picture.shape[:2]:
            return card.picture if card.picture is not None else self.colours_of(label)
        return self._blend(card.picture, label, self.options.opacity)

    def _blend(self, img: np.ndarray, label: np.ndarray, opacity: float,
               key: str = MAIN_LABEL) -> np.ndarray:
        label = np.where(label < 0, self.ignore_index, label)  # as -1 of a user's step
        palette = self.palette if key == MAIN_LABEL else None
        return draw_overlay(img, label.astype(np.int64), palette, opacity,
                            ignore_index=self.ignore_index)

    def entry(self, label: int) -> tuple[str, Sequence[int]]:
        """The text and the RGB colour of a class in legends."""
        return class_entry(label, self.colours, self.names, self.ignore_index)

    @property
    def colours(self) -> np.ndarray:
        """RGB colours [C, 3] of the classes."""
        number = len(self.names) if self.names is not None else len(self.palette or ()) or 256
        return class_colours(self.palette, number)

    def truth(self, trace: Trace) -> np.ndarray | None:
        """The label map of a sample whose pipeline loads none; None where there is none."""
        found = leaf_of(self.dataset, trace.index)
        get = None if found is None else getattr(found[0], 'get_gt_seg_map', None)
        if get is None or getattr(found[0], 'ann_dir', None) is None:
            return None
        try:
            return np.asarray(get(found[1]))
        except UserError:  # the check of the data set tells of it
            return None


def visible(cards: Sequence[Card]) -> Iterator[Card]:
    """The cards that change what is seen."""
    return (card for card in cards if card.picture is not None or card.labels)


def split_attempts(cards: Sequence[Card]) -> list[tuple[str | None, list[Card]]]:
    """The cards of each sample that was loaded, with the name of its file, where it is known.

    There are several where a step has dropped one, in whose place the data set takes another.
    """
    attempts: list[tuple[str | None, list[Card]]] = []
    dropped = True
    for card in cards:
        if dropped:
            _, name = card.step.changed.get('ori_filename', (None, None))
            attempts.append((name, []))
        attempts[-1][1].append(card)
        dropped = card.step.after is None and card.step.error is None
    return attempts


def _holds_bytes(img: np.ndarray) -> bool:
    """Whether other numbers than bytes are from 0 to 255, as to_float32 of a file makes them."""
    return bool(img.dtype.kind == 'f' and img.size and img.min() >= 0 and 1 < img.max() <= 255
                and (img == np.rint(img)).all())


def _same_labels(before: View, after: View) -> bool:
    return before.labels.keys() == after.labels.keys() and all(
        np.array_equal(before.labels[key], label) for key, label in after.labels.items())
