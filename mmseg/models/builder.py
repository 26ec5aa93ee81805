"""Registries of the parts of a model, and the functions that build them from configs."""
from torch import nn

from mmcv_replace.cnn import build_model_from_cfg as build
from mmcv_replace.utils import Registry
from mmcv_replace.utils.errors import ConfigError

# Each with the modules of our own components, which are imported when a config names them.
BACKBONES = Registry('backbone', base=nn.Module, modules={
    'mmseg.models.backbones.cgnet': ['CGNet'],
    'mmseg.models.backbones.fast_scnn': ['FastSCNN'],
    'mmseg.models.backbones.hrnet': ['HRNet'],
    'mmseg.models.backbones.mobilenet_v2': ['MobileNetV2'],
    'mmseg.models.backbones.mobilenet_v3': ['MobileNetV3'],
    'mmseg.models.backbones.resnest': ['ResNeSt'],
    'mmseg.models.backbones.resnet': ['ResNet', 'ResNetV1c', 'ResNetV1d'],
    'mmseg.models.backbones.resnext': ['ResNeXt'],
    'mmseg.models.backbones.timm_backbone': ['TIMMBackbone'],
    'mmseg.models.backbones.unet': ['UNet'],
})
NECKS = Registry('neck', base=nn.Module, modules={
    'mmseg.models.necks.fpn': ['FPN'],
})
HEADS = Registry('head', base=nn.Module, modules={
    'mmseg.models.decode_heads.ann_head': ['ANNHead'],
    'mmseg.models.decode_heads.apc_head': ['APCHead'],
    'mmseg.models.decode_heads.aspp_head': ['ASPPHead'],
    'mmseg.models.decode_heads.cc_head': ['CCHead'],
    'mmseg.models.decode_heads.da_head': ['DAHead'],
    'mmseg.models.decode_heads.dm_head': ['DMHead'],
    'mmseg.models.decode_heads.dnl_head': ['DNLHead'],
    'mmseg.models.decode_heads.ema_head': ['EMAHead'],
    'mmseg.models.decode_heads.enc_head': ['EncHead'],
    'mmseg.models.decode_heads.fcn_head': ['FCNHead'],
    'mmseg.models.decode_heads.fpn_head': ['FPNHead'],
    'mmseg.models.decode_heads.gc_head': ['GCHead'],
    'mmseg.models.decode_heads.lraspp_head': ['LRASPPHead'],
    'mmseg.models.decode_heads.nl_head': ['NLHead'],
    'mmseg.models.decode_heads.ocr_head': ['OCRHead'],
    'mmseg.models.decode_heads.point_head': ['PointHead'],
    'mmseg.models.decode_heads.psa_head': ['PSAHead'],
    'mmseg.models.decode_heads.psp_head': ['PSPHead'],
    'mmseg.models.decode_heads.sep_aspp_head': ['DepthwiseSeparableASPPHead'],
    'mmseg.models.decode_heads.sep_fcn_head': ['DepthwiseSeparableFCNHead'],
    'mmseg.models.decode_heads.uper_head': ['UPerHead'],
})
LOSSES = Registry('loss', base=nn.Module, modules={
    'mmseg.models.losses.cross_entropy_loss': ['CrossEntropyLoss'],
    'mmseg.models.losses.dice_loss': ['DiceLoss'],
    'mmseg.models.losses.focal_loss': ['FocalLoss'],
    'mmseg.models.losses.lovasz_loss': ['LovaszLoss'],
    'mmseg.models.losses.tversky_loss': ['TverskyLoss'],
})
SEGMENTORS = Registry('segmentor', base=nn.Module, modules={
    'mmseg.models.segmentors.cascade_encoder_decoder': ['CascadeEncoderDecoder'],
    'mmseg.models.segmentors.encoder_decoder': ['EncoderDecoder'],
})


def build_backbone(cfg: dict) -> nn.Module:
    """Build a backbone."""
    return build(cfg, BACKBONES)


def build_neck(cfg: dict) -> nn.Module:
    """Build a neck."""
    return build(cfg, NECKS)


def build_head(cfg: dict) -> nn.Module:
    """Build a decode head or auxiliary head."""
    return build(cfg, HEADS)


def build_loss(cfg: dict) -> nn.Module:
    """Build a loss."""
    return build(cfg, LOSSES)


def build_segmentor(cfg: dict, train_cfg: dict | None = None,
                    test_cfg: dict | None = None) -> nn.Module:
    """Build a whole model; touches neither files nor network (`init_weights` does).

    `train_cfg` and `test_cfg` may stand in the model's config or be given here, not both.
    """
    cfg = cfg.copy()
    for name, value in (('train_cfg', train_cfg), ('test_cfg', test_cfg)):
        if value and cfg.get(name):
            raise ConfigError(
                f'{name} is given twice: model.{name}={dict(cfg[name])} and, at the top level of '
                f'the config, {dict(value)}; keep one of them: model = dict({name}=dict(...)) '
                'changes what a base config says there')
        if value:
            cfg[name] = value
    return build(cfg, SEGMENTORS)
