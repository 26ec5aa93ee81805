#!/usr/bin/env bash
# What becomes of a mask of two classes that tifffile writes, in the libraries that read images.
#
# Versions: tifffile 2026.3.3, Pillow 12.3.0, opencv-python-headless 5.0.0.93, NumPy 2.3.5; Python 3.11.
# A good engineer would expect that an array of bool comes back as it was written, as one of uint8
# does. Instead tifffile marks it as "0 is white" (a facsimile's bits), without being asked, and
# Pillow and OpenCV turn the bits over: background and object change places without a word. tifffile
# itself gives back what was written.
# Output seen:
#   bool, tagged MINISWHITE: Pillow inverted, OpenCV inverted, tifffile as written
#   uint8, tagged MINISBLACK: Pillow as written, OpenCV as written, tifffile as written
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tifffile==2026.3.3 pillow==12.3.0 \
    opencv-python-headless==5.0.0.93 numpy==2.3.5
cat > "$folder/read.py" <<'PYTHON'
import io

import cv2
import numpy as np
import tifffile
from PIL import Image

mask = np.random.default_rng(0).integers(0, 2, (9, 16)).astype(bool)
for kind in (bool, np.uint8):
    file = io.BytesIO()
    tifffile.imwrite(file, mask.astype(kind))
    content = file.getvalue()
    found = {
        'Pillow': np.array(Image.open(io.BytesIO(content))),
        'OpenCV': cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED),
        'tifffile': tifffile.imread(io.BytesIO(content))}
    with tifffile.TiffFile(io.BytesIO(content)) as written:
        tag = written.pages[0].photometric.name
    what = {name: 'as written' if np.array_equal(values > 0, mask) else
            'inverted' if np.array_equal(values > 0, ~mask) else 'something else'
            for name, values in found.items()}
    print(f'{kind.__name__}, tagged {tag}:',
          ', '.join(f'{name} {result}' for name, result in what.items()))
PYTHON
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
