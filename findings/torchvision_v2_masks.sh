#!/usr/bin/env bash
# torchvision 0.28.0, transforms.v2, on an image and its segmentation mask:
# - NumPy arrays pass through every transform untouched, and nothing says so.
# - RandomRotation and RandomAffine take the nearest pixel of the image too, where RandomPerspective
#   and ElasticTransform interpolate: edges become jagged unless `interpolation` is given.
# - All four fill the new pixels of a mask with 0, a class in most data sets; `fill=255` fills the
#   image so, too. A dict by type tells both apart: fill={Image: 0, Mask: 255}.
#
# Output, with torch 2.13.0 (CPU build):
#   arrays: unchanged by a rotation of 30 degrees: True
#   RandomRotation: 2 values in an image of two, 132 with bilinear; masks are filled with [0]
#   RandomAffine: 2 values in an image of two, 132 with bilinear; masks are filled with [0]
#   with fill by type: image [0], mask [255]
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 torch==2.13.0+cpu numpy==2.3.5 \
    --extra-index-url https://download.pytorch.org/whl/cpu
"$folder/venv/bin/pip" install --quiet --retries 1 --no-deps torchvision==0.28.0 pillow==12.0.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import torch

# The index's wheel is made for CUDA builds of torch, beside which alone its compiled operators
# load. The transforms need none; declared, these two let the package be imported.
library = torch.library.Library('torchvision', 'FRAGMENT')
for name in ('nms', 'qnms'):
    library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')

from torchvision.transforms import v2  # noqa: E402
from torchvision.tv_tensors import Image, Mask  # noqa: E402

BILINEAR = v2.InterpolationMode.BILINEAR
stripes = (torch.arange(57) // 6 % 2 * 200).to(torch.uint8).expand(3, 41, 57)
labels = torch.full((1, 41, 57), 7, dtype=torch.uint8)

arrays = stripes.numpy(), labels.numpy()
rotated = v2.RandomRotation((30, 30))(*arrays)
same = all(np.array_equal(new, old) for new, old in zip(rotated, arrays, strict=True))
print('arrays: unchanged by a rotation of 30 degrees:', same)
assert same

for kind in (v2.RandomRotation, v2.RandomAffine):
    image, mask = kind((30, 30))(Image(stripes), Mask(labels))
    smooth, _ = kind((30, 30), interpolation=BILINEAR)(Image(stripes), Mask(labels))
    fills = sorted(set(mask.unique().tolist()) - {7})
    print(f'{kind.__name__}: {len(image.unique())} values in an image of two, '
          f'{len(smooth.unique())} with bilinear; masks are filled with {fills}')
    assert len(image.unique()) == 2 and len(smooth.unique()) > 20 and fills == [0]

image, mask = v2.Pad(4, fill={Image: 0, Mask: 255})(Image(stripes), Mask(labels))
print(f'with fill by type: image {image[:, :4].unique().tolist()}, '
      f'mask {mask[:, :4].unique().tolist()}')
assert mask[:, :4].unique().tolist() == [255]
PYTHON
