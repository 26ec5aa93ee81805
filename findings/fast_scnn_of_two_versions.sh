#!/usr/bin/env bash
# mmsegmentation 0.10.0 and 0.30.0: the backbone FastSCNN, built with the same arguments, is two
# networks. The later one pads its first convolution, fuses by a 3 x 3 depthwise convolution where
# the earlier has a full one of 1 x 1, and leaves out the activation of depthwise convolutions. Some keys keep
# their names and change their shape, the others fit both. The weights that are published for it are
# of the later network; the config of 0.10 that bears their name does not load them.
#
# Output, with torch 2.13.0 (CPU build):
#   mmsegmentation 0.10.0: map 32 x 32, feature_fusion.dwconv.conv.weight [128, 128, 1, 1]
#   mmsegmentation 0.30.0: map 33 x 33, feature_fusion.dwconv.conv.weight [128, 1, 3, 3]
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 wheel==0.45.1 torch==2.13.0+cpu numpy==1.26.4 \
    addict==2.4.0 yapf==0.40.1 PyYAML==6.0.2 packaging==24.2 prettytable==3.16.0 terminaltables==3.1.10 \
    matplotlib==3.10.3 opencv-python-headless==4.11.0.86 --extra-index-url https://download.pytorch.org/whl/cpu
"$folder/venv/bin/pip" install --quiet setuptools==69.5.1 --no-deps  # for mmcv's setup.py
for pair in 1.2.7:0.10.0 1.7.2:0.30.0; do
    "$folder/venv/bin/pip" install --quiet --no-deps --no-build-isolation --target "$folder/${pair#*:}" \
        "mmcv==${pair%:*}" "mmsegmentation==${pair#*:}"
    PYTHONPATH="$folder/${pair#*:}" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
import types

import torch


class Absent(types.ModuleType):
    """Compiled operators and torchvision, which this backbone does not need."""

    __path__ = ()
    __version__ = '0.0.0'

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


sys.modules['mmcv.ops'] = Absent('mmcv.ops')
sys.modules['torchvision'] = Absent('torchvision')
import mmseg  # noqa: E402
from mmseg.models import build_backbone  # noqa: E402

model = build_backbone(dict(
    type='FastSCNN', downsample_dw_channels=(32, 48), global_in_channels=64,
    global_block_channels=(64, 96, 128), global_block_strides=(2, 2, 1), global_out_channels=128,
    higher_in_channels=64, lower_in_channels=128, fusion_out_channels=128, out_indices=(0, 1, 2),
    norm_cfg=dict(type='BN'), align_corners=False)).eval()
with torch.no_grad():
    height, width = model(torch.zeros(1, 3, 257, 257))[0].shape[2:]
key = 'feature_fusion.dwconv.conv.weight'
shape = list(model.state_dict()[key].shape)
print(f'mmsegmentation {mmseg.__version__}: map {height} x {width}, {key} {shape}')
expected = {'0.10.0': (32, [128, 128, 1, 1]), '0.30.0': (33, [128, 1, 3, 3])}
assert (height, shape) == expected[mmseg.__version__], 'the networks have changed'
PYTHON
done
