"""Turn the arrays of a sample into the model's input: tensors, containers and meta data."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from mmcv_replace.parallel import DataContainer
from mmcv_replace.parallel import DataContainer as DC  # noqa: F401  the name in mmsegmentation
from mmcv_replace.utils.errors import ArgumentError, ConfigError, ConfigKeyError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_names
from .ignored import ignore_index_of

META_KEYS = (
    'filename', 'ori_filename', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor', 'flip',
    'flip_direction', 'img_norm_cfg')
SAMPLE_FIELDS = ({'key': 'img', 'stack': True}, {'key': 'gt_semantic_seg'})


def to_tensor(data: torch.Tensor | np.ndarray | Sequence | int | float) -> torch.Tensor:
    """A tensor of the same values; a number becomes a tensor [1]."""
    if isinstance(data, torch.Tensor):
        return data
    if isinstance(data, np.ndarray):
        return torch.from_numpy(data)
    if isinstance(data, int | float):
        return torch.tensor([data])
    if isinstance(data, Sequence) and not isinstance(data, str):
        return torch.tensor(data)
    raise ArgumentError(f'cannot make a tensor of {type(data).__name__}: give an array, a sequence '
                        'of numbers or a number')


class KeyedTransform(Transform):
    """Base of steps that apply `convert` to the value of each of `keys`."""

    convert: Callable[[Any], Any]

    def __init__(self, keys: Sequence[str]) -> None:
        check_names(type(self).__name__, 'keys', keys)
        self.keys = keys

    def __call__(self, results: Results) -> Results:
        for key in self.keys:
            results[key] = self.convert(results[key])
        return results


@PIPELINES.register_module()
class ToTensor(KeyedTransform):
    """Turn the values of `keys` into tensors."""

    convert = staticmethod(to_tensor)


@PIPELINES.register_module()
class ImageToTensor(KeyedTransform):
    """Turn the images of `keys` ([H, W] or [H, W, C]) into tensors [C, H, W]."""

    fusible = True

    @staticmethod
    def convert(value: np.ndarray) -> torch.Tensor:
        value = value[..., None] if value.ndim == 2 else value
        return torch.from_numpy(np.ascontiguousarray(value.transpose(2, 0, 1)))


@PIPELINES.register_module()
class Transpose(KeyedTransform):
    """Permute the axes of the arrays of `keys`, as `numpy.transpose` with `order`."""

    def __init__(self, keys: Sequence[str], order: Sequence[int]) -> None:
        super().__init__(keys)
        self.order = order

    def convert(self, value: np.ndarray) -> np.ndarray:
        return value.transpose(self.order)


@PIPELINES.register_module()
class ToDataContainer(Transform):
    """Wrap values in DataContainers; each field holds a `key` and arguments of its container."""

    def __init__(self, fields: Sequence[dict[str, Any]] = SAMPLE_FIELDS) -> None:
        for field in fields:
            if not isinstance(field, dict) or 'key' not in field:
                raise ConfigError(f'ToDataContainer: fields={fields!r}: give dicts with a key')
        self.fields = fields

    def __call__(self, results: Results) -> Results:
        for field in self.fields:
            settings = dict(field)
            key = settings.pop('key')
            results[key] = DataContainer(results[key], **settings)
        return results


@PIPELINES.register_module()
class DefaultFormatBundle(Transform):
    """Turn `img` into a tensor [C, H, W] and each label map into an int64 tensor [1, H, W].

    Label maps are `gt_semantic_seg` and others named in `seg_fields`. All become containers that
    are stacked to a batch. Where its samples differ in size, label maps are padded with the ignored
    label.
    """

    fusible = True

    def __call__(self, results: Results) -> Results:
        return self.bundle(results, np.int64)

    def bundle(self, results: Results, label_type: type) -> Results:
        """The same with a `gt_semantic_seg` of another type."""
        if 'img' in results:
            results['img'] = DataContainer(ImageToTensor.convert(results['img']), stack=True)
        types = dict.fromkeys(results.get('seg_fields', ()), np.int64)
        for key, kind in (types | {'gt_semantic_seg': label_type}).items():
            if key in results:
                label = torch.from_numpy(results[key][None].astype(kind))
                results[key] = DataContainer(label, stack=True,
                                             padding_value=ignore_index_of(results))
        return results


@PIPELINES.register_module()
class Collect(Transform):
    """Keep only `keys`, and the values of `meta_keys` as the dict `img_metas`.

    Raises ConfigError for a key that no step has set.
    """

    fusible = True

    def __init__(self, keys: Sequence[str], meta_keys: Sequence[str] = META_KEYS) -> None:
        check_names('Collect', 'keys', keys)
        check_names('Collect', 'meta_keys', meta_keys)
        self.keys = keys
        self.meta_keys = meta_keys

    def __call__(self, results: Results) -> Results:
        missing = [key for key in (*self.keys, *self.meta_keys) if key not in results]
        if missing:
            raise ConfigKeyError(f'Collect: no step of the pipeline has made {missing}; add the '
                                 'step that does (RandomFlip makes flip and flip_direction), or '
                                 'leave them out of keys and meta_keys')
        meta = {key: results[key] for key in self.meta_keys}
        return {'img_metas': DataContainer(meta, cpu_only=True),
                **{key: results[key] for key in self.keys}}
