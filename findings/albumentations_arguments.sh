#!/usr/bin/env bash
# albumentations 2.0.8: an argument that a transform does not have is a warning, and nothing else.
# Code for 1.x that pads or rotates segmentation masks with `mask_value=255`, or misspells
# `fill_mask`, goes on, and the new pixels of the masks become 0: a class, in most data sets the
# background, where they were to be ignored.
#
# Output, with numpy 2.2.6, opencv-python-headless 4.12.0.88 and albucore 0.0.24:
#   PadIfNeeded: mask_value=255 gives [0, 7], fill_mask=255 [7, 255]
#   Rotate: mask_value=255 gives [0, 7], fill_mask=255 [7, 255]
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 albumentations==2.0.8 albucore==0.0.24 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88
NO_ALBUMENTATIONS_UPDATE=1 "$folder/venv/bin/python" - <<'PYTHON'
import warnings

import albumentations
import numpy as np

image = np.full((32, 32, 3), 90, np.uint8)
mask = np.full((32, 32), 7, np.uint8)
CASES = {
    'PadIfNeeded': dict(min_height=48, min_width=48, border_mode=0),
    'Rotate': dict(limit=(45, 45), border_mode=0)}
for name, options in CASES.items():
    found = {}
    for argument in ('mask_value', 'fill_mask'):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            transform = getattr(albumentations, name)(**options, **{argument: 255}, p=1.0)
        assert len(caught) == (argument == 'mask_value'), [str(each.message) for each in caught]
        result = albumentations.Compose([transform])(image=image, mask=mask)['mask']
        found[argument] = np.unique(result).tolist()
    print(f'{name}: mask_value=255 gives {found["mask_value"]}, fill_mask=255 {found["fill_mask"]}')
    assert found == {'mask_value': [0, 7], 'fill_mask': [7, 255]}
PYTHON
