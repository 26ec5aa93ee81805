#!/usr/bin/env bash
# mmcv 1.7.2: the configs of DNLNet that mmsegmentation publishes (0.10 to 0.30) say
# `paramwise_cfg=dict(custom_keys=dict(theta=dict(wd_mult=0.), phi=dict(wd_mult=0.)))`, so that the
# projections of the attention are trained without weight decay. The optimizer's constructor reads
# `lr_mult` and `decay_mult`, ignores any other name, and says nothing: the models were trained with
# full weight decay everywhere. Written with `decay_mult`, the same does what the configs mean.
#
# Output, with torch 2.13.0 (CPU build):
#   wd_mult=0.0: weight decay of theta 0.0005, of the other layer 0.0005, 0 warnings
#   decay_mult=0.0: weight decay of theta 0.0, of the other layer 0.0005, 0 warnings
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 wheel==0.45.1 torch==2.13.0+cpu numpy==1.26.4 \
    addict==2.4.0 yapf==0.40.1 PyYAML==6.0.2 packaging==24.2 pillow==11.2.1 \
    opencv-python-headless==4.11.0.86 --extra-index-url https://download.pytorch.org/whl/cpu
"$folder/venv/bin/pip" install --quiet setuptools==69.5.1 --no-deps  # for mmcv's setup.py
"$folder/venv/bin/pip" install --quiet --no-deps --no-build-isolation mmcv==1.7.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import types
import warnings


class Absent(types.ModuleType):
    """Compiled operators and torchvision, which the constructor does not need."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


for name in ('mmcv.ops', 'torchvision'):
    sys.modules[name] = Absent(name)

with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    import torch
    from mmcv.runner import build_optimizer

model = torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in ('theta', 'other')})
found = {}
for word in ('wd_mult', 'decay_mult'):
    cfg = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0005,
               paramwise_cfg=dict(custom_keys=dict(theta={word: 0.0}, phi={word: 0.0})))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        optimizer = build_optimizer(model, cfg)
    decay = {id(parameter): group['weight_decay'] for group in optimizer.param_groups
             for parameter in group['params']}
    found[word] = [decay[id(model[name].weight)] for name in ('theta', 'other')]
    print(f'{word}=0.0: weight decay of theta {found[word][0]}, of the other layer '
          f'{found[word][1]}, {len(caught)} warnings')
    assert not caught, 'it warns now'
assert found == {'wd_mult': [0.0005, 0.0005], 'decay_mult': [0.0, 0.0005]}, 'wd_mult is read now'
PYTHON
