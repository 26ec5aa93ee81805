"""A pipeline: its steps, one after the other."""
from collections.abc import Callable, Sequence
from typing import Any

from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import ConfigError, DataError, add_note

from ..builder import PIPELINES
from .base import Results

Step = Callable[[Results], Results | None]


@PIPELINES.register_module()
class Compose:
    """Run steps in order; a step is a config or a callable. The result is None once one is."""

    def __init__(self, transforms: Sequence[dict[str, Any] | Step]) -> None:
        self.transforms: list[Step] = []
        for transform in transforms:
            if isinstance(transform, dict):
                transform = build_from_cfg(transform, PIPELINES)
            elif not callable(transform):
                raise ConfigError(f'a pipeline holds dicts with a type, or callables, not '
                                  f'{transform!r}')
            self.transforms.append(transform)

    def __call__(self, data: Results) -> Results | None:
        """Apply the steps; an error is told which step and which image it comes from."""
        for transform in self.transforms:
            try:
                result = transform(data)
            except DataError:
                raise
            except Exception as error:
                add_note(error, f'in {type(transform).__name__} of the pipeline, at '
                                f'{_image_name(data)}')
                raise
            if result is None:
                return None
            data = result
        return data

    def __repr__(self) -> str:
        steps = ''.join(f'\n    {transform!r}' for transform in self.transforms)
        return f'{type(self).__name__}({steps}\n)'


def _image_name(data: object) -> str:
    if not isinstance(data, dict):
        return 'a sample'
    return str(data.get('filename') or data.get('img_info', {}).get('filename') or 'a sample')
