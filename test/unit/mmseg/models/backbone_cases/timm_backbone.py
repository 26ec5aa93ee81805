"""Needs timm, and the torchvision that it imports."""
import torch.nn.functional as F

from mmcv_replace.utils.errors import MissingModuleError
from mmseg.models.backbones.timm_backbone import import_timm

from ..backbone_plain import DILATED, plain_norm
from .resnet import plain_resnet

try:
    import_timm('TIMMBackbone')
    MISSING = ''
except MissingModuleError as error:
    MISSING = str(error).partition(': ')[0]

UNFIT = dict(check_folding='timm does not say in which order the layers of its modules run')
SMALL = dict(channels=(4, 8, 16, 32), pretrained=False)


def plain(state, options, x):
    """ResNet of timm: the map of the stem before its pooling, and those of the stages."""
    state = {key.removeprefix('timm_model.'): value for key, value in state.items()}
    dilated = dict(DILATED, contract_dilation=True) if 'output_stride' in options else {}
    stem = plain_norm(state, F.conv2d(x, state['conv1.weight'], stride=2, padding=3), 'bn1').relu()
    maps = [stem, *plain_resnet(state, dict(deep_stem=False, avg_down=False) | dilated, x)]
    return [maps[i] for i in options.get('out_indices', range(5))]


CASES = {'TIMMBackbone': [
    (dict(model_name='resnet18', **SMALL), plain, '897b5e761189'),
    (dict(model_name='resnet50', **SMALL, output_stride=8, out_indices=(2, 4), in_channels=4),
     plain, '3cca761ee5df'),
]}
