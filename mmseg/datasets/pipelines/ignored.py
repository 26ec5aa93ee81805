"""The label of ignored pixels, in the steps that write it to label maps or leave it out."""
import numpy as np

from mmcv_replace.utils.errors import ConfigError

from .base import Results, Transform
from .checks import check_numbers

# Where neither the dataset nor the head sets another one.
DEFAULT = 255


class UnsetLabel(int):
    """A label in the settings of a step that nobody has set: that of the dataset takes its place.

    It is the number that mmsegmentation 0.x has there, which steps of users read.
    """


UNSET = UnsetLabel(DEFAULT)


def is_set(label: int | None) -> bool:
    """Whether a label was given to a step; None and `UNSET` are not."""
    return label is not None and not isinstance(label, UnsetLabel)


def ignore_index_of(results: Results) -> int:
    """The ignored label of a sample."""
    return results.get('ignore_index', DEFAULT)


class LabelStep(Transform):
    """Base of steps with a label among their settings, by default the dataset's ignored label.

    `label_setting` is the name of the setting; `label_fault` says in the error message what a label
    would do that is neither a class nor ignored.
    """

    label_setting: str
    label_fault: str

    def check_own_label(self, ignore_index: int, num_classes: int | None) -> None:
        """Raise ConfigError for a label that is neither one of the classes nor ignored."""
        value = getattr(self, self.label_setting)
        if (not is_set(value) or value == ignore_index or num_classes is None
                or 0 <= value < num_classes):
            return
        name = f'{self.label_setting}={value}'
        raise ConfigError(
            f'{type(self).__name__}: {name} is none of the {num_classes} classes, and '
            f'the dataset ignores another value, ignore_index={ignore_index}, so '
            f'{self.label_fault}: leave {self.label_setting} out, then it is {ignore_index}, '
            f'or set ignore_index={value} in the dataset, which the heads of the model follow')


class LabelFiller(LabelStep):
    """Base of steps that add pixels to label maps: `seg_pad_val`, or the ignored label."""

    label_setting = 'seg_pad_val'
    label_fault = 'the loss would meet a class that does not exist'

    def _set_fill(self, seg_pad_val: int | None) -> None:
        if is_set(seg_pad_val):
            check_numbers(type(self).__name__, 'seg_pad_val', seg_pad_val, least=0, most=255)
        self.seg_pad_val = UNSET if seg_pad_val is None else seg_pad_val

    def label_fill(self, results: Results) -> int | None:
        """The label of the pixels to add to a sample; None where it has no label map."""
        if not results.get('seg_fields'):
            return None
        ignore_index = ignore_index_of(results)
        self.check_own_label(ignore_index, results.get('num_classes'))
        return self.seg_pad_val if is_set(self.seg_pad_val) else ignore_index


def room_for(label: np.ndarray, value: int) -> np.ndarray:
    """The label map in a type that holds `value` as well."""
    dtype = np.promote_types(label.dtype, np.min_scalar_type(value))
    return label if 0 <= value <= 255 else label.astype(dtype, copy=False)
