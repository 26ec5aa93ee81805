#!/usr/bin/env bash
# What Pillow and OpenCV make of one black-and-white mask that is saved as a GIF or as a PNG.
#
# Versions: Pillow 13.0.0, opencv-python-headless 5.0.0.93, NumPy 2.4.6; Python 3.11.
# A good engineer would expect that what was saved as 0 and 255 is read as 0 and 255. Instead:
# - Pillow writes a grey GIF of 0 and 255 with a palette of two colours, and reads it as 0 and 1;
# - the same mask, saved from single bits, comes back as 0 and 255;
# - where the palette begins with white, 0 is white: the mask is read the wrong way round;
# - a PNG of single bits is True and False in Pillow, and 0 and 255 in OpenCV.
# OpenCV reads the colours in all cases. `convert('L')` does it in Pillow.
# Output seen (values by Pillow; whether those above 0 are white; values by OpenCV; convert('L')):
#   GIF of grey: P [0, 1] True; [0, 255]; [0, 255]
#   GIF of bits: L [0, 255] True; [0, 255]; [0, 255]
#   GIF with white first: P [0, 1] False; [0, 255]; [0, 255]
#   PNG of bits: 1 [False, True] True; [0, 255]; [0, 255]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > "$folder/read.py" <<'PYTHON'
import io

import cv2
import numpy as np
from PIL import Image

white = np.random.default_rng(0).random((6, 7)) < 0.4
negative = Image.fromarray((~white).astype(np.uint8))
negative.putpalette([255, 255, 255, 0, 0, 0])
grey = Image.fromarray(white.astype(np.uint8) * 255)
for name, image, form in (
        ('GIF of grey', grey, 'GIF'), ('GIF of bits', Image.fromarray(white), 'GIF'),
        ('GIF with white first', negative, 'GIF'), ('PNG of bits', Image.fromarray(white), 'PNG')):
    file = io.BytesIO()
    image.save(file, form)
    with Image.open(file) as read:
        values = np.array(read)
        print(f'{name}: {read.mode} {np.unique(values).tolist()}',
              f'{np.array_equal(values > 0, white)};', end=' ')
        converted = np.array(read.convert('L'))
    by_opencv = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    print(f'{np.unique(by_opencv).tolist()};', np.unique(converted).tolist())
    assert np.array_equal(by_opencv > 127, white)
    assert np.array_equal(converted > 127, white)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
