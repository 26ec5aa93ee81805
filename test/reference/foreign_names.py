"""Digests of the names and shapes of weights in torchvision and timm.

    pip install torch torchvision timm
    python test/reference/foreign_names.py > test/fixtures/foreign_names.json

Layers that classify are left out. test_key_names.py compares.
"""
import hashlib
import json
import re

import timm
import torch
import torchvision

CLASSIFIERS = re.compile(r'(fc|classifier|head|conv_head|features\.18|incre_modules|'
                         r'downsamp_modules|final_layer)\.')
MODELS = {
    'torchvision': ['resnet18', 'resnet50', 'resnext50_32x4d', 'resnext101_32x8d', 'mobilenet_v2',
                    'mobilenet_v3_large', 'mobilenet_v3_small'],
    'timm': ['resnet18', 'resnet50', 'resnet50c', 'resnet101c', 'resnet18d', 'resnet50d',
             'resnext50_32x4d', 'resnext101_32x8d', 'resnest50d', 'resnest101e', 'mobilenetv2_100',
             'mobilenetv3_large_100', 'mobilenetv3_small_100', 'hrnet_w18', 'hrnet_w48'],
}


def digest(state):
    text = json.dumps(sorted((key, list(value.shape)) for key, value in state.items()))
    return [len(state), hashlib.sha1(text.encode()).hexdigest()[:12]]


def backbone(toolkit, name):
    state = (torchvision.models.get_model(name) if toolkit == 'torchvision'
             else timm.create_model(name)).state_dict()
    last = re.compile(r'bn2\.') if name == 'mobilenetv2_100' else re.compile('$^')
    return {key: value for key, value in state.items()
            if not CLASSIFIERS.match(key) and not last.match(key)}


if __name__ == '__main__':
    with torch.device('meta'):
        print(json.dumps({toolkit: {name: digest(backbone(toolkit, name)) for name in names}
                          for toolkit, names in MODELS.items()}, indent=1))
