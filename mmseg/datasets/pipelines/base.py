"""Base class of the steps of a pipeline."""
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from .draws import is_heard, tell

Results = dict[str, Any]
Step = Callable[[Results], Results | None]


class Transform:
    """A step: takes the dict of one sample and returns it changed, or None to drop the sample.

    A step that changes pixels implements `draw`, `apply_image` and `apply_label`, which `__call__`
    applies to `img` and to every label map named in `seg_fields`, and `record`. Any other step
    overrides `__call__`. Arrays of the input are not written to. A step of your own may also be any
    callable from dict to dict.

    The class attributes describe the step to `fusion` and `cache`. They are not inherited, since a
    subclass may compute something else; a subclass to which one applies sets it again.
    """

    fusible: ClassVar[bool] = False
    """Whether a fused step may replace this one, alone or with its neighbours."""
    cache_level: str | None = None
    """The level of `data.cache` at which the result is kept, 'decoded' or 'resized'; None where it
    depends on more than the files and the settings of the step. For the level 'disk' a 'decoded'
    step is a `FileLoader`, which tells what it reads."""
    copies_arrays: ClassVar[bool] = False
    """Whether all arrays of the result are new ones, which later steps may write to."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ('fusible', 'cache_level', 'copies_arrays'):
            if name not in vars(cls):
                setattr(cls, name, getattr(Transform, name))

    def __call__(self, results: Results) -> Results | None:
        params = self.draw(results)
        if is_heard():
            tell(**self.describe(params))
        return self.finish(results, self.apply_image(results['img'], params), params)

    def draw(self, results: Results) -> Any:
        """Parameters of this sample, with all random draws; `results` stays as it is."""
        return None

    def describe(self, params: Any) -> dict[str, Any]:
        """What has been drawn, by name, for people who look at the sample."""
        return {} if params is None else {'drawn': params}

    def apply_image(self, img: np.ndarray, params: Any) -> np.ndarray:
        """The image ([H, W] or [H, W, C]) changed by the parameters."""
        return img

    def apply_label(self, label: np.ndarray, params: Any) -> np.ndarray:
        """The label map ([H, W]) changed by the parameters."""
        return label

    def record(self, results: Results, params: Any) -> None:
        """Set the keys that describe the changed sample, such as `img_shape`."""
        return

    def finish(self, results: Results, img: np.ndarray, params: Any) -> Results:
        """Take the changed image, change the label maps and record it."""
        results['img'] = img
        for key in results.get('seg_fields', ()):
            results[key] = self.apply_label(results[key], params)
        self.record(results, params)
        return results

    def fuse_with(self, following: Sequence[Step]) -> 'tuple[Step, int] | None':
        """A faster step with the same result as this and the first of `following`, and how many of
        these it replaces; None where there is none. Called where the step is `fusible`.
        """
        return None

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items()
                             if not name.startswith('_'))
        return f'{type(self).__name__}({settings})'


def match(steps: Sequence[Step], *kinds: type[Transform]) -> bool:
    """Whether the first steps are fusible ones of these classes."""
    return len(steps) >= len(kinds) and all(
        isinstance(step, kind) and step.fusible for step, kind in zip(steps, kinds, strict=False))
