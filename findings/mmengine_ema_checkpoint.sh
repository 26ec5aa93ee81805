#!/usr/bin/env bash
# mmengine 0.10.7 and onedl-mmengine 0.10.12, EMAHook: in its checkpoints `ema_state_dict` holds the
# TRAINED weights, under the names of the averaged model ('module.' and 'steps'), and `state_dict`
# the AVERAGED ones. The hook swaps the two before it writes, so that a plain load of `state_dict`
# deploys the average. A reader that takes `ema_state_dict` for the average scores the wrong weights,
# and one that resumes from `state_dict` goes on from the average.
#
# Output, with torch 2.13.0 (CPU build) and NumPy 2.2.6:
#   mmengine==0.10.7: trained 3.0, average 1.5; state_dict 1.5, ema_state_dict 3.0
#   onedl-mmengine==0.10.12: trained 3.0, average 1.5; state_dict 1.5, ema_state_dict 3.0
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 torch==2.13.0+cpu numpy==2.2.6 \
    addict==2.4.0 termcolor==3.1.0 yapf==0.43.0 rich==14.0.0 PyYAML==6.0.2 matplotlib==3.10.3 \
    opencv-python-headless==4.11.0.86 --extra-index-url https://download.pytorch.org/whl/cpu
for package in mmengine==0.10.7 onedl-mmengine==0.10.12; do
    "$folder/venv/bin/pip" install --quiet --no-deps --target "$folder/$package" "$package"
    PYTHONPATH="$folder/$package" PACKAGE="$package" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import os
from types import SimpleNamespace

import torch
from mmengine.hooks import EMAHook
from torch import nn

model = nn.Linear(1, 1, bias=False)
nn.init.constant_(model.weight, 0.0)
runner = SimpleNamespace(model=model, iter=0, epoch=0)
hook = EMAHook(ema_type='ExponentialMovingAverage', momentum=0.5)
hook.before_run(runner)  # the first update copies, the second one averages
hook.after_train_iter(runner, 0)
nn.init.constant_(model.weight, 3.0)
hook.after_train_iter(runner, 1)
average = hook.ema_model.module.weight.item()

checkpoint = {'state_dict': {key: value.clone() for key, value in model.state_dict().items()}}
hook.before_save_checkpoint(runner, checkpoint)
plain = checkpoint['state_dict']['weight'].item()
named_average = checkpoint['ema_state_dict']['module.weight'].item()
print(f'{os.environ["PACKAGE"]}: trained {model.weight.item()}, average {average}; '
      f'state_dict {plain}, ema_state_dict {named_average}')
assert (plain, named_average) == (1.5, 3.0), 'the swap is gone'
PYTHON
done
