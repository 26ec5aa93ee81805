"""The scores of Cityscapes' benchmark for pixels, as its evaluation script computes them.

cityscapesscripts 2.3.0, evaluation/evalPixelLevelSemanticLabeling.py; Cordts et al.,
arXiv:1604.01685, section 4.2. The script counts all 34 labels; those that it ignores are neither
among the labels nor the predictions here, which changes no score.
"""
from collections.abc import Callable, Sequence

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation.confusion import ConfusionMatrix

CATEGORIES = {
    'flat': ('road', 'sidewalk'),
    'construction': ('building', 'wall', 'fence'),
    'object': ('pole', 'traffic light', 'traffic sign'),
    'nature': ('vegetation', 'terrain'),
    'sky': ('sky',),
    'human': ('person', 'rider'),
    'vehicle': ('car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle'),
}
# Mean number of pixels of an instance in the training images.
INSTANCE_PIXELS = {
    'person': 3462.4756337644, 'rider': 3930.4788056518, 'car': 12794.0202738185,
    'truck': 27855.1264367816, 'bus': 35732.1511111111, 'train': 67583.7075812274,
    'motorcycle': 6298.7200839748, 'bicycle': 4672.3249222261,
}
# Values in an instance map from this on are 1000 * label id + number; others show no single one.
FIRST_INSTANCE = 1000
LABELS = 34
TOP = FIRST_INSTANCE * LABELS


class CityscapesCounts(ConfusionMatrix):
    """A confusion matrix and, with `instances`, the pixels of instances that were found.

    `instances(index)` is the instance map [H, W] of a sample. `label_ids`: those of the classes.
    `by_class` [C, 2], `by_category` [7, 2] float64: pixels of instances that were found, and not;
    each instance counts as much as one of the mean size of its class.
    """

    def __init__(self, classes: Sequence[str], label_ids: Sequence[int], ignore_index: int,
                 instances: Callable[[int], np.ndarray] | None = None) -> None:
        super().__init__(len(classes), ignore_index)
        self.classes = tuple(classes)
        self.instances = instances
        self.by_class = np.zeros((len(classes), 2))
        self.by_category = np.zeros((len(CATEGORIES), 2))
        # The last entry is for predictions, of pixels that are ignored, which are no class.
        self._category = np.array([*(_category_of(name) for name in classes), -1])
        self._pixels = np.array([INSTANCE_PIXELS.get(name, 0) for name in classes])
        self._class_of = np.full(TOP, -1)  # by the value in an instance map
        for index, (name, label_id) in enumerate(zip(classes, label_ids, strict=True)):
            if name in INSTANCE_PIXELS:
                self._class_of[FIRST_INSTANCE * label_id:][:FIRST_INSTANCE] = index

    def arrays(self) -> list[np.ndarray]:
        return [self.matrix, self.by_class, self.by_category]

    def update(self, pred: np.ndarray, label: np.ndarray, name: str | None = None,
               index: int | None = None) -> None:
        super().update(pred, label, name)
        if self.instances is not None:
            self._count_instances(np.asarray(pred), self.instances(index), name or 'a sample')

    def _count_instances(self, pred: np.ndarray, instances: np.ndarray, sample: str) -> None:
        if instances.shape != pred.shape:
            raise DataError(f'{sample}: its instance map is {instances.shape[0]} x '
                            f'{instances.shape[1]} (height x width), its prediction '
                            f'{pred.shape[0]} x {pred.shape[1]}; fetch the instance map again')
        if instances.max(initial=0) >= TOP:
            raise DataError(f'{sample}: its instance map holds {instances.max()}, but values are '
                            f'1000 * label + number, of the labels 0 to {LABELS - 1}; fetch the '
                            'instance map again')
        shown = instances > FIRST_INSTANCE
        values = instances[shown].astype(np.intp)
        sizes = np.bincount(values, minlength=TOP)
        numbers = np.flatnonzero(sizes)
        numbers = numbers[self._class_of[numbers] >= 0]
        sizes, classes = sizes[numbers], self._class_of[numbers]
        weights = self._pixels[classes] / sizes
        true = self._class_of[values]
        found = np.minimum(pred[shown], self.num_classes)
        for sums, right, rows in (
                (self.by_class, found == true, classes),
                (self.by_category, self._category[found] == self._category[true],
                 self._category[classes])):
            hits = np.bincount(values[right], minlength=TOP)[numbers]
            np.add.at(sums[:, 0], rows, hits * weights)
            np.add.at(sums[:, 1], rows, (sizes - hits) * weights)

    def class_scores(self) -> dict[str, np.ndarray]:
        """IoU and, of counted instances, iIoU of each class [C]; NaN where there is none."""
        have = np.array([name in INSTANCE_PIXELS for name in self.classes])
        return self._scores(self.matrix, self.by_class, have)

    def category_scores(self) -> dict[str, np.ndarray]:
        """IoU and, of counted instances, iIoU of each of CATEGORIES; NaN where there is none."""
        member = np.array([[name in names for name in self.classes]
                           for names in CATEGORIES.values()], np.int64)
        have = np.array([INSTANCE_PIXELS.keys() >= set(names) for names in CATEGORIES.values()])
        return self._scores(member @ self.matrix @ member.T, self.by_category, have)

    def _scores(self, matrix: np.ndarray, instances: np.ndarray, have: np.ndarray
                ) -> dict[str, np.ndarray]:
        """Scores from a confusion matrix [N, N] and the pixels of instances [N, 2].

        have: [N] bool, which of them have instances.
        """
        hit, predicted, labelled = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
        found, missed = np.where(have[:, None], instances, np.nan).T
        with np.errstate(divide='ignore', invalid='ignore'):
            scores = {'IoU': hit / (labelled + predicted - hit)}
            if self.instances is not None:
                scores['iIoU'] = found / (found + (predicted - hit) + missed)
        return scores


def mean_of(scores: np.ndarray) -> float:
    """The mean of the scores that are no NaN; NaN without any."""
    known = scores[~np.isnan(scores)].tolist()
    return sum(known) / len(known) if known else float('nan')


def _category_of(name: str) -> int:
    return next(place for place, names in enumerate(CATEGORIES.values()) if name in names)
