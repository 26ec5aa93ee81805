"""The registry that registries of models can have as their parent."""
from collections.abc import Sequence

from torch import nn

from mmcv_replace.utils import Registry, build_from_cfg


def build_model_from_cfg(cfg: dict | Sequence[dict], registry: Registry,
                         default_args: dict | None = None) -> nn.Module:
    """Build one model, or of a list of configs an nn.Sequential of several."""
    if isinstance(cfg, list | tuple):
        return nn.Sequential(*(build_from_cfg(item, registry, default_args) for item in cfg))
    return build_from_cfg(cfg, registry, default_args)


MODELS = Registry('model', build_func=build_model_from_cfg)
