"""Network building blocks: layers by name, ConvModule, weight initialisation, plain networks."""
from mmcv_replace.utils.lazy_names import lazy_names

from . import bricks, utils

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    **{package.__name__: package.__all__ for package in (bricks, utils)},
    '.alexnet': ['AlexNet'],
    '.builder': ['MODELS', 'build_model_from_cfg'],
    '.resnet': ['ResNet', 'make_res_layer'],
    '.rfsearch': ['Conv2dRFSearchOp', 'RFSearchHook'],
    '.vgg': ['VGG', 'make_vgg_layer'],
})
