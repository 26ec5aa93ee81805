#!/usr/bin/env bash
# What OpenCV makes of TIFFs as geographic tools write them, read with IMREAD_UNCHANGED.
#
# Versions: opencv-python-headless 5.0.0.93, tifffile 2025.10.16, NumPy 2.3.5; Python 3.11.
# A good engineer would expect all bands, or an error. Instead, without a word:
# - four bands of 16 bits called minisblack (the default of GDAL for them) become ONE band, the
#  luma of the first three as if they were red, green and blue; of 8 bits it is the first band;
# - 8-bit RGB with a straight (unassociated) alpha comes back multiplied by that alpha, so that what
#  is transparent loses its colour; with 16 bits it does not;
# - 16-bit RGB in separate planes is read as if it were interleaved: right shape, wrong pixels.
# Output seen:
#   4 bands of 16 bits: (8, 9) uint16, luma of the first three: True
#   4 bands of 8 bits: (8, 9) uint8, the first: True
#   RGBA of 8 bits, straight alpha: multiplied: True
#   RGBA of 16 bits, straight alpha: as stored: True
#   RGB of 16 bits in planes: as stored: False
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


def read(img, **how):
    file = io.BytesIO()
    tifffile.imwrite(file, img, **how)
    return cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)


deep = np.random.default_rng(0).integers(0, 2**16, (8, 9, 4), dtype=np.uint16)
byte = (deep >> 8).astype(np.uint8)
bands = dict(photometric='minisblack', planarconfig='contig')
alpha = dict(photometric='rgb', extrasamples=['unassalpha'])

grey = read(deep, **bands)
luma = deep[..., :3] @ (0.299, 0.587, 0.114)
print(f'4 bands of 16 bits: {grey.shape} {grey.dtype}, luma of the first three:',
      bool(np.abs(grey - luma).max() < 2))
grey = read(byte, **bands)
print(f'4 bands of 8 bits: {grey.shape} {grey.dtype}, the first:',
      np.array_equal(grey, byte[..., 0]))
multiplied = byte[..., 2::-1] * (byte[..., 3:] / 255)
print('RGBA of 8 bits, straight alpha: multiplied:',
      bool(np.abs(read(byte, **alpha)[..., :3] - multiplied).max() <= 1))
print('RGBA of 16 bits, straight alpha: as stored:',
      np.array_equal(read(deep, **alpha), deep[..., [2, 1, 0, 3]]))
planes = np.ascontiguousarray(deep[..., :3].transpose(2, 0, 1))
print('RGB of 16 bits in planes: as stored:',
      np.array_equal(read(planes, photometric='rgb', planarconfig='separate'), deep[..., 2::-1]))
PYTHON
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
