"""Registries of the layers that a config can name."""
from torch import nn

from mmcv_replace.utils import Registry

CONV_LAYERS = Registry('conv layer', nn.Module)
NORM_LAYERS = Registry('norm layer', nn.Module)
ACTIVATION_LAYERS = Registry('activation layer', nn.Module)
PADDING_LAYERS = Registry('padding layer', nn.Module)
UPSAMPLE_LAYERS = Registry('upsample layer', nn.Module)
PLUGIN_LAYERS = Registry('plugin layer', nn.Module)
