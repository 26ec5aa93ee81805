#!/usr/bin/env bash
# What OpenCV makes of grey TIFFs of 16 bits in tiles, read with IMREAD_GRAYSCALE or IMREAD_COLOR.
#
# Versions: opencv-python-headless 5.0.0.93, tifffile 2025.10.16, NumPy 2.3.5; Python 3.11, x86-64.
# A good engineer would expect the upper eight bits of each pixel, as IMREAD_UNCHANGED gives all 16.
# So it is where tiles fill the image. Where the last tile of a row reaches beyond the right border,
# all its rows but the first hold other pixels, without a word; with tiles of 256 x 256, the default
# of GDAL, that is up to 255 columns of nearly every large image, or the whole of a smaller one.
# Output seen:
#   64 x 64 in tiles of 32 x 32: equal in all columns: True
#   64 x 61 in tiles of 32 x 32: equal in columns 0 to 31: True, in the others: False, there in row 0: True
#   64 x 61 in one tile of 64 x 64: equal: False
#   64 x 61 in strips: equal: True
#   64 x 61 in tiles of 32 x 32, unchanged: equal: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 tifffile==2025.10.16 numpy==2.3.5
cat > "$folder/read.py" <<'PYTHON'
import io

import cv2
import numpy as np
import tifffile


def read(img, flag=cv2.IMREAD_GRAYSCALE, **how):
    file = io.BytesIO()
    tifffile.imwrite(file, img, photometric='minisblack', metadata=None, **how)
    return cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), flag)


full = np.random.default_rng(0).integers(256, 2**16, (64, 64), np.uint16)
img = full[:, :61]
top = (img >> 8).astype(np.uint8)
print('64 x 64 in tiles of 32 x 32: equal in all columns:',
      np.array_equal(read(full, tile=(32, 32)), full >> 8))
found = read(img, tile=(32, 32))
print('64 x 61 in tiles of 32 x 32: equal in columns 0 to 31:',
      f'{np.array_equal(found[:, :32], top[:, :32])}, in the others:',
      f'{np.array_equal(found[:, 32:], top[:, 32:])}, there in row 0:',
      np.array_equal(found[0, 32:], top[0, 32:]))
print('64 x 61 in one tile of 64 x 64: equal:', np.array_equal(read(img, tile=(64, 64)), top))
print('64 x 61 in strips: equal:', np.array_equal(read(img, rowsperstrip=8), top))
print('64 x 61 in tiles of 32 x 32, unchanged: equal:',
      np.array_equal(read(img, cv2.IMREAD_UNCHANGED, tile=(32, 32)), img))
PYTHON
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
