"""The value of pixels that do not count: the dataset's, in every step that writes or weighs it."""
import numpy as np

from mmcv_replace.utils.errors import ConfigError

from .base import Results, Transform
from .checks import check_numbers

# Where a pipeline runs without a dataset.
DEFAULT = 255


def ignore_index_of(results: Results) -> int:
    """The label of ignored pixels in this sample."""
    return results.get('ignore_index', DEFAULT)


class LabelFiller(Transform):
    """A step that adds pixels to label maps: `seg_pad_val`, or those that the dataset ignores."""

    seg_pad_val: int | None

    def set_label_fill(self, seg_pad_val: int | None) -> None:
        """Check the setting and keep it."""
        if seg_pad_val is not None:
            check_numbers(type(self).__name__, 'seg_pad_val', seg_pad_val, least=0, most=255)
        self.seg_pad_val = seg_pad_val

    def label_fill(self, results: Results) -> int:
        """The label of the pixels to add to a sample."""
        ignore_index = ignore_index_of(results)
        self.check_label_fill(ignore_index, results.get('num_classes'))
        return ignore_index if self.seg_pad_val is None else self.seg_pad_val

    def check_label_fill(self, ignore_index: int, num_classes: int | None) -> None:
        """Raise ConfigError where the loss would meet a label that is no class."""
        value = self.seg_pad_val
        if value in (None, ignore_index) or num_classes is None or value < num_classes:
            return
        raise ConfigError(
            f'{type(self).__name__}: seg_pad_val={value} is none of the {num_classes} classes, and '
            f'the dataset ignores another value, ignore_index={ignore_index}, so the loss would '
            f'meet a class that does not exist: leave seg_pad_val out, then it is {ignore_index}, '
            f'or set ignore_index={value} in the dataset and in the heads of the model')


def room_for(label: np.ndarray, value: int) -> np.ndarray:
    """The label map in a type that can hold the value as well."""
    dtype = np.promote_types(label.dtype, np.min_scalar_type(value))
    return label if 0 <= value <= 255 else label.astype(dtype, copy=False)
