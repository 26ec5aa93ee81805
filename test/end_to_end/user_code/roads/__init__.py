"""A project of somebody who uses mmsegmentation 0.x: it imports mmcv and mmseg alone."""
from .backbone import PlainNet, SketchResNet
from .dataset import RoadDataset
from .head import GatedFusionHead
from .hooks import KeepLossHook, StairsLrUpdaterHook
from .loss import SoftIoULoss
from .optimizer import NoDecayConstructor
from .transform import RandomShade
from .transformer import RoadTransformer

__all__ = ['GatedFusionHead', 'KeepLossHook', 'NoDecayConstructor', 'PlainNet', 'RandomShade',
           'RoadDataset', 'RoadTransformer', 'SketchResNet', 'SoftIoULoss', 'StairsLrUpdaterHook']
