"""Whether the images of the training are normalised as pretrained weights expect it."""
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch import nn

from mmcv_replace.utils import Config
from mmseg.utils import get_root_logger


def warn_of_other_normalization(cfg: Config, model: nn.Module) -> None:
    """Log a warning where Normalize of the training differs from the backbone's `img_norm_cfg`.

    A backbone has it if the weights that it starts from were trained with such images; another
    normalization is allowed, but wastes a part of what they know.
    """
    backbone = getattr(model, 'backbone', None)
    wanted = getattr(backbone, 'img_norm_cfg', None)
    if wanted is None or not getattr(backbone, 'starts_from_timm', True):
        return
    found = list(_normalizations((cfg.get('data') or {}).get('train')))
    for step in found:
        if not _is_alike(step, wanted):
            get_root_logger().warning(
                'the weights of %s(%r) were trained with images of %s, but data.train.pipeline has '
                '%s: write the former into train_pipeline and test_pipeline, unless the weights of '
                'the training replace them',
                type(backbone).__name__, getattr(backbone, 'model_name', ''),
                _text(wanted), _text(step))
            return


def _normalizations(part: Any) -> Iterator[Mapping[str, Any]]:
    """The arguments of each Normalize anywhere in a part of a config."""
    if isinstance(part, Mapping):
        if part.get('type') == 'Normalize':
            yield dict(dict(to_rgb=True), **{key: value for key, value in part.items()
                                             if key != 'type'})
        for value in part.values():
            yield from _normalizations(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _normalizations(value)


def _is_alike(step: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return step['to_rgb'] == wanted['to_rgb'] and all(
        np.shape(step[key]) == np.shape(wanted[key])
        # Constants are rounded in configs: half a grey level makes no difference.
        and np.allclose(step[key], wanted[key], rtol=0, atol=0.5) for key in ('mean', 'std'))


def _text(step: Mapping[str, Any]) -> str:
    values = {key: [round(float(value), 3) for value in step[key]] for key in ('mean', 'std')}
    return f"Normalize(mean={values['mean']}, std={values['std']}, to_rgb={step['to_rgb']})"
