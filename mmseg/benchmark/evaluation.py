"""`eval`: confusion matrix and mIoU of label maps."""
import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.metrics import metrics_from_confusion

from .inputs import IGNORED, flat_labels
from .section import Section


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """One table for each number of classes; a round scores all maps."""
    sections = []
    for classes in args.classes:
        rng = np.random.default_rng(classes)
        label = np.stack([flat_labels(rng, tuple(args.size), classes) for _ in range(args.images)])
        pred = np.stack([_prediction(rng, item, classes) for item in label])
        file = folder / f'maps{classes}.npz'
        np.savez(file, label=label, pred=pred)
        sections.append(Section(
            title=f'confusion matrix and mIoU: {classes} classes, {args.images} maps of '
                  f'{args.size[0]} x {args.size[1]}',
            case='eval', options={'maps': str(file), 'classes': classes},
            plain={} if args.plain else None, threads=1))
    return sections


def _prediction(rng: np.random.Generator, label: np.ndarray, classes: int) -> np.ndarray:
    """A prediction [H, W] uint8 whose borders are some pixels off and a tenth of which is wrong."""
    pred = cv2.medianBlur(np.where(label == IGNORED, 0, label).astype(np.uint8), 9)
    pred = np.roll(pred, rng.integers(-6, 7, 2), (0, 1))
    wrong = cv2.resize(rng.random((8, 8), np.float32), label.shape[::-1],
                       interpolation=cv2.INTER_NEAREST) < 0.1
    pred[wrong] = rng.integers(0, classes)
    return pred


class EvaluationCase:
    """The toolkit's confusion matrix on label maps of the type that its models give, uint8."""

    def __init__(self, maps: str, classes: int) -> None:
        # Unlike the libraries of other subjects, OpenCV ignores OMP_NUM_THREADS.
        cv2.setNumThreads(0)
        with np.load(maps) as arrays:
            self._pairs = list(zip(arrays['pred'], arrays['label'], strict=True))
        self._classes = classes

    def _score(self) -> dict[str, float | np.ndarray]:
        confusion = ConfusionMatrix(self._classes, IGNORED)
        for pred, label in self._pairs:
            confusion.update(pred, label)
        return metrics_from_confusion(confusion.matrix)

    def check(self) -> dict[str, np.ndarray]:
        """IoU of each class."""
        return {'IoU': np.nan_to_num(self._score()['IoU'])}

    def round(self) -> float:
        """Seconds per image."""
        start = time.perf_counter()
        self._score()
        return (time.perf_counter() - start) / len(self._pairs)
