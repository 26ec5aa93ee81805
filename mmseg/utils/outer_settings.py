"""`train_cfg` and `test_cfg` beside `model`, where configs for mmsegmentation 0.10 have them.

Our base configs have them inside the model, as later versions do. A config that inherits one of
them and sets, say, `test_cfg = dict(mode='slide', ...)` means the same as in 0.10: it changes what
the base says. Both places in configs of a user's own are a mistake, which `build_segmentor` tells.
"""
import os
from pathlib import Path

from mmcv_replace.utils import Config
from mmcv_replace.utils.config import CONFIG_ROOTS
from mmcv_replace.utils.config.merge import merge_dict

OUTER = ('train_cfg', 'test_cfg')


def join_outer_settings(cfg: Config) -> None:
    """Move settings beside the model into it, where only base configs of ours have set them."""
    model = cfg.get('model')
    for name in OUTER:
        outer = cfg.get(name)
        if isinstance(model, dict) and isinstance(outer, dict) and _of_our_bases(model, name):
            merge_dict(model[name], outer, cfg.origin(name), f'model.{name}.')
            del cfg[name]


def _of_our_bases(model: dict, name: str) -> bool:
    """Whether a dict in the model, and each value in it, comes from `configs/_base_`."""
    inner = model.get(name)
    if not isinstance(inner, dict):
        return False
    bases = [Path(os.path.realpath(root), 'configs/_base_') for root in CONFIG_ROOTS]
    origins = {model.origin(name), *(inner.origin(key) for key in inner)}
    return all(origin is not None and any(
        Path(os.path.realpath(origin)).is_relative_to(base) for base in bases)
        for origin in origins)
