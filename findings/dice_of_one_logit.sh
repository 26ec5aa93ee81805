#!/usr/bin/env bash
# mmsegmentation 0.30.0: its heads offer `num_classes=2, out_channels=1`, one logit for a problem of
# two classes. DiceLoss and TverskyLoss then learn nothing, and say nothing: they apply a softmax to
# the one channel, which is 1 everywhere, so that the gradient is 0 for every prediction. (The
# accuracy that is logged beside them takes the largest of one channel, class 0, for every pixel.)
#
# Output, with mmcv 1.7.2 and torch 2.13.0 (CPU build):
#   DiceLoss: largest gradient 0.0 with one logit, 6.6e-04 with two
#   TverskyLoss: largest gradient 0.0 with one logit, 5.1e-04 with two
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 wheel==0.45.1 torch==2.13.0+cpu numpy==1.26.4 \
    addict==2.4.0 yapf==0.40.1 PyYAML==6.0.2 packaging==24.2 prettytable==3.16.0 \
    matplotlib==3.10.3 opencv-python-headless==4.11.0.86 --extra-index-url https://download.pytorch.org/whl/cpu
"$folder/venv/bin/pip" install --quiet setuptools==69.5.1 --no-deps  # for mmcv's setup.py
"$folder/venv/bin/pip" install --quiet --no-deps --no-build-isolation mmcv==1.7.2 mmsegmentation==0.30.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
import types

import torch


class Absent(types.ModuleType):
    """Compiled operators and torchvision, which these losses do not need."""

    __path__ = ()
    __version__ = '0.0.0'

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


sys.modules['mmcv.ops'] = Absent('mmcv.ops')
sys.modules['torchvision'] = Absent('torchvision')
from mmseg.models import build_loss  # noqa: E402

torch.manual_seed(0)
label = torch.randint(0, 2, (2, 16, 16))
for name in ('DiceLoss', 'TverskyLoss'):
    largest = []
    for channels in (1, 2):
        logits = torch.randn(2, channels, 16, 16, requires_grad=True)
        build_loss(dict(type=name))(logits, label.clamp(max=channels - 1)).backward()
        largest.append(logits.grad.abs().max().item())
    print(f'{name}: largest gradient {largest[0]} with one logit, {largest[1]:.1e} with two')
    assert largest[0] == 0 < largest[1], 'one logit is learned from'
PYTHON
