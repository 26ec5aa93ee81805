"""The confusion matrix, from which all scores are computed."""
import numpy as np

from mmcv_replace.utils.errors import DataError

from .histogram import count_pairs, count_values


class ConfusionMatrix:
    """Numbers of pixels by true and predicted class, counted one sample at a time.

    `matrix`: [C, C] int64, row = true class, column = predicted class. Pixels with the label
    `ignore_index` are not counted.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.matrix = np.zeros((num_classes, num_classes), np.int64)

    def arrays(self) -> list[np.ndarray]:
        """All that is counted; to be added, in place, to the counts of other processes."""
        return [self.matrix]

    def update(self, pred: np.ndarray, label: np.ndarray, name: str | None = None,
               index: int | None = None) -> None:
        """Count the pixels of one sample; pred, label: class indices [H, W].

        `name` of the sample is for the error messages, its `index` in the data set for subclasses
        that count more. Raises DataError for maps of different shapes, and for values that are no
        class.
        """
        pred, label = np.asarray(pred), np.asarray(label)
        sample = name or 'a sample'
        if pred.shape != label.shape:
            raise DataError(
                f'{sample}: the prediction is {_size(pred)} but its annotation is {_size(label)} '
                '(height x width); check that the annotation belongs to this image, and that the '
                "test pipeline keeps 'ori_shape' in its meta keys")
        for kind, values in (('prediction', pred), ('annotation', label)):
            if values.dtype.kind not in 'biu':
                raise DataError(f'{sample}: the {kind} has dtype {values.dtype}; a label map holds '
                                'one class index per pixel as an integer')
        if self.num_classes <= 256 and _fits_uint8(pred) and _fits_uint8(label):
            self._add_uint8(pred, label, sample)
        else:
            self._add_any(pred, label, sample)

    def _add_uint8(self, pred: np.ndarray, label: np.ndarray, sample: str) -> None:
        """Count by one joint histogram, which also reveals values that are no class."""
        counts = count_pairs(pred.astype(np.uint8, copy=False), label.astype(np.uint8, copy=False))
        if 0 <= self.ignore_index <= 255:
            counts[:, self.ignore_index] = 0
        inside = counts[:self.num_classes, :self.num_classes]
        if inside.sum() != counts.sum():
            self._refuse(pred, label, sample)
        self.matrix[:, :len(inside)] += inside.T

    def _add_any(self, pred: np.ndarray, label: np.ndarray, sample: str) -> None:
        """Count maps that do not fit into eight bits."""
        valid = label != self.ignore_index
        row, column = label[valid].astype(np.int64), pred[valid].astype(np.int64)
        for values in (row, column):
            if values.size and not 0 <= values.min() <= values.max() < self.num_classes:
                self._refuse(pred, label, sample)
        codes = row * self.num_classes + column
        counts = np.bincount(codes, minlength=self.num_classes**2)
        self.matrix += counts.reshape(self.matrix.shape)

    def check_label(self, label: np.ndarray, sample: str) -> None:
        """Raise DataError for an annotation [H, W] with values that are neither class nor ignored.

        For code that would fail at them in a way that nobody understands.
        """
        fits = label.dtype in (np.uint8, np.bool_)
        values = np.flatnonzero(count_values(label.astype(np.uint8))) if fits else np.unique(label)
        values = values[values != self.ignore_index]
        if values.size and not 0 <= values.min() <= values.max() < self.num_classes:
            self._refuse(np.zeros_like(label), label, sample)

    def _refuse(self, pred: np.ndarray, label: np.ndarray, sample: str) -> None:
        valid = label != self.ignore_index
        top = self.num_classes - 1
        for kind, values, remedy in (
                ('annotation', np.unique(label[valid]),
                 f'mark pixels without a class by {self.ignore_index}, or make ignore_index, '
                 'label_map, reduce_zero_label or classes of the dataset fit its masks: python '
                 'tools/check_dataset.py CONFIG says which'),
                ('prediction', np.unique(pred[valid]),
                 "make 'num_classes' of the model's heads equal to the dataset's number of "
                 'classes')):
            wrong = values[(values < 0) | (values > top)]
            if wrong.size:
                shown = ', '.join(map(str, wrong[:8])) + (', ...' if wrong.size > 8 else '')
                raise DataError(f'{sample}: the {kind} holds {shown}, but classes are 0 to {top} '
                                f'(ignored: {self.ignore_index}); {remedy}')
        raise AssertionError('refused a sample without a wrong value')


def _size(array: np.ndarray) -> str:
    return ' x '.join(map(str, array.shape))


def _fits_uint8(values: np.ndarray) -> bool:
    if values.dtype in (np.uint8, np.bool_):
        return True
    return values.size > 0 and bool(values.min() >= 0 and values.max() <= 255)
