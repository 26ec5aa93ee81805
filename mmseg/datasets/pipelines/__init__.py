"""The steps from file names to a sample; `@PIPELINES.register_module()` registers another one."""
from .base import Transform
from .compose import Compose
from .formating import (
    Collect,
    DefaultFormatBundle,
    ImageToTensor,
    ToDataContainer,
    ToTensor,
    Transpose,
    to_tensor,
)
from .loading import LoadAnnotations, LoadImageFromFile
from .test_time_aug import MultiScaleFlipAug
from .transforms import (
    CLAHE,
    AdjustGamma,
    Normalize,
    Pad,
    PhotoMetricDistortion,
    RandomCrop,
    RandomFlip,
    RandomRotate,
    Rerange,
    Resize,
    RGB2Gray,
    SegRescale,
)

__all__ = [
    'CLAHE', 'AdjustGamma', 'Collect', 'Compose', 'DefaultFormatBundle', 'ImageToTensor',
    'LoadAnnotations', 'LoadImageFromFile', 'MultiScaleFlipAug', 'Normalize', 'Pad',
    'PhotoMetricDistortion', 'RGB2Gray', 'RandomCrop', 'RandomFlip', 'RandomRotate', 'Rerange',
    'Resize', 'SegRescale', 'ToDataContainer', 'ToTensor', 'Transform', 'Transpose', 'to_tensor',
]
