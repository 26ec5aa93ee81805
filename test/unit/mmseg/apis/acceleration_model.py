"""A small model, what the accelerations make of it, and a step of its training."""
import torch

from mmcv_replace.utils import Config
from mmseg.apis.acceleration import prepare_inference, prepare_training
from mmseg.models import build_segmentor

CPU = torch.device('cpu')
NORM = dict(type='BN')
HEAD = dict(num_classes=3, norm_cfg=NORM, dropout_ratio=0)


def make():
    torch.manual_seed(0)
    return build_segmentor(dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNetV1c', depth=18, num_stages=2, strides=(1, 1), dilations=(1, 1),
                      out_indices=(0, 1), base_channels=8, stem_channels=8, norm_cfg=NORM),
        decode_head=dict(type='PSPHead', in_channels=16, channels=8, in_index=1,
                         pool_scales=(1, 2), **HEAD),
        auxiliary_head=[dict(type='FCNHead', in_channels=8, channels=8, in_index=0, num_convs=1,
                             **HEAD)]))


def prepare(**options):
    return prepare_training(make(), Config(options), CPU)


def step(model, size=32):
    generator = torch.Generator().manual_seed(1)
    img = torch.randn(2, 3, size, size, generator=generator)
    label = torch.randint(3, (2, 1, size, size), generator=generator)
    outputs = model.train().train_step(dict(img=img, img_metas=[{}, {}], gt_semantic_seg=label),
                                       None)
    outputs['loss'].backward()
    gradients = torch.cat([p.grad.flatten() for p in model.parameters()])
    return outputs['loss'].detach(), gradients


def is_channels_last(model):
    weight = model.backbone.layer1[0].conv1.weight
    return weight.is_contiguous(memory_format=torch.channels_last)


def prepare_for_test(**options):
    return prepare_inference(make().eval(), Config(options), CPU)
