"""Plugin layers by name: attention blocks and others that a backbone can have in its blocks."""
import re

from torch import nn

from mmcv_replace.utils.errors import ConfigTypeError

from .layer_cfg import build_layer, layer_class, name_with
from .registry import PLUGIN_LAYERS


def infer_abbr(class_type: type) -> str:
    """`_abbr_` of a plugin class, or its name in snake case: FancyBlock -> fancy_block.

    Raises ConfigTypeError for what is no class.
    """
    if not isinstance(class_type, type):
        raise ConfigTypeError(f'infer_abbr needs a class, got {class_type!r}')
    if hasattr(class_type, '_abbr_'):
        return class_type._abbr_
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', class_type.__name__)
    return re.sub(r'([a-z\d])([A-Z])', r'\1_\2', name).lower()


def build_plugin_layer(cfg: dict, postfix: int | str = '',
                       **kwargs: object) -> tuple[str, nn.Module]:
    """Build the plugin that `cfg` names: (its name such as 'context_block1', the layer)."""
    cls, _ = layer_class(PLUGIN_LAYERS, cfg)
    name = name_with(postfix, infer_abbr(cls))
    return name, build_layer(PLUGIN_LAYERS, cfg, **kwargs)
