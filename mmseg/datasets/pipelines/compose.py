"""A pipeline: its steps, one after the other."""
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cv2
from torch.utils.data import Dataset

from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.checks.type_check import is_annotated
from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import (
    BAD_VALUES,
    ConfigError,
    ConfigKeyError,
    ConfigTypeError,
    DataError,
    UserError,
    add_note,
    has_note,
)
from mmcv_replace.utils.suggest import short
from mmseg.core.utils import inner_datasets

from ..builder import PIPELINES
from .base import Results, Step
from .fusion import fuse_steps

# Keys of a sample that steps set for later ones.
SAMPLE_KEYS = (
    'img', 'gt_semantic_seg', 'img_info', 'ann_info', 'img_prefix', 'seg_prefix', 'filename',
    'img_fields', 'seg_fields', 'img_shape', 'ori_shape', 'pad_shape', 'scale', 'scale_factor',
    'keep_ratio', 'flip', 'flip_direction', 'img_norm_cfg')
RunStep = Callable[[Step, Results], Results | None]
_IN_STEP = ' of the pipeline, at '


@PIPELINES.register_module()
class Compose:
    """Run steps in order, each given as a config or a callable, until one returns None.

    `fusion` replaces the steps by faster ones with the same result; None runs them as they are.
    """

    def __init__(self, transforms: Sequence[dict[str, Any] | Step]) -> None:
        self.fusion: Callable[[list[Step]], list[Step]] | None = fuse_steps
        # Called in the place of `run_step`, which it gets first: who traces a sample sets it.
        self.watch: Callable[[RunStep, Step, Results], Results | None] | None = None
        self._fused: tuple[object, list[Step], list[Step]] | None = None
        self.transforms: list[Step] = []
        if not isinstance(transforms, list | tuple):
            raise ConfigError(f'a pipeline is a list of steps, not {transforms!r}')
        for transform in transforms:
            if isinstance(transform, dict):
                transform = build_from_cfg(transform, PIPELINES)
            elif not callable(transform):
                raise ConfigTypeError(f'a pipeline holds dicts with a type, or callables, not '
                                      f'{transform!r}')
            self.transforms.append(transform)

    def __call__(self, data: Results) -> Results | None:
        """Apply the steps. Errors name the step and the image; ConfigError for unfit settings."""
        run = self.run_step if self.watch is None else partial(self.watch, self.run_step)
        for transform in self._steps():
            try:
                result = run(transform, data)
            except DataError:
                raise
            except Exception as error:
                if _is_bad_setting(error, transform, data):
                    kind = ConfigKeyError if isinstance(error, KeyError) else ConfigError
                    raise kind(f'{_image_name(data)}: {short(transform, 300)} cannot work '
                               f'({type(error).__name__}: {error}); see whether its settings and '
                               'the steps before it fit') from error
                add_note(error, f'in {type(transform).__name__}{_IN_STEP}{_image_name(data)}')
                raise
            if result is None:
                return None
            data = result
        return data

    def run_step(self, step: Step, data: Results) -> Results | None:
        """What a step makes of a sample; a subclass may prepare the sample for it."""
        return step(data)

    def _steps(self) -> list[Step]:
        """The steps to run, fused anew after a change of `transforms` or `fusion`."""
        if self.fusion is None:
            return self.transforms
        if self._fused is None or self._fused[:2] != (self.fusion, self.transforms):
            self._fused = self.fusion, list(self.transforms), self.fusion(self.transforms)
        return self._fused[2]

    def __repr__(self) -> str:
        steps = ''.join(f'\n    {transform!r}' for transform in self.transforms)
        return f'{type(self).__name__}({steps}\n)'


def own_pipeline(dataset: Dataset) -> Compose | None:
    """The pipeline of a data set; None for a wrapper that only has that of the one inside it."""
    found = (vars(dataset).get('pipeline') if inner_datasets(dataset)
             else getattr(dataset, 'pipeline', None))
    return found if isinstance(found, Compose) else None


def _is_bad_setting(error: Exception, step: Step, data: object) -> bool:
    """Whether the settings of a built-in step, or the steps before it, cause the error.

    Other errors inside of it are faults of this package, and those of user code keep their type.
    """
    if (isinstance(error, UserError) or has_note(error, _IN_STEP) or is_out_of_memory(error)
            or not is_annotated(type(step))):
        return False
    if type(error) is KeyError:
        return _is_missing(error.args[:1], step, data)
    return isinstance(error, (*BAD_VALUES, cv2.error))


def _is_missing(key: tuple[Any, ...], step: Step, data: object) -> bool:
    """Whether a missing key is one of `SAMPLE_KEYS` or of the settings of the step."""
    wanted = [SAMPLE_KEYS, *(value for value in getattr(step, '__dict__', {}).values()
                           if isinstance(value, list | tuple | str))]
    return key != () and isinstance(data, dict) and key[0] not in data and any(
        key[0] in values if not isinstance(values, str) else key[0] == values for values in wanted)


def _image_name(data: object) -> str:
    if not isinstance(data, dict):
        return 'a sample'
    return str(data.get('filename') or data.get('img_info', {}).get('filename') or 'a sample')
