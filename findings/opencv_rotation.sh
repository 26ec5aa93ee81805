#!/usr/bin/env bash
# The same cv2.warpAffine gives other pixels, and other labels, in OpenCV 4.12 and 5.0.
#
# Versions: opencv-python-headless 4.12.0.88 and 5.0.0.93, NumPy 2.2.6; Python 3.11, x86-64.
# A good engineer would expect a rotation by INTER_NEAREST to be a fixed thing, and one by
# INTER_LINEAR to differ by rounding. But 4.x places pixels on a grid of 1/32 and 5.0 computes where
# they are: with 5.0 a run repeats no augmented sample of 4.x, and masks differ too. Resizing,
# decoding JPEGs, HSV and CLAHE are the same to the last bit.
# Output seen (shares of the values that differ between the versions):
#   nearest: some labels differ, under 1 %: True
#   linear: over 10 % of the values differ, by more than rounding: True
#   against exact arithmetic, mean error of linear, 4.12 over 5.0: more than 5 times: True
#   resize linear, resize nearest, HSV and CLAHE are equal: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/rotate.py" <<'PYTHON'
import sys

import cv2
import numpy as np

random = np.random.default_rng(0)
rows, columns = np.mgrid[:240, :320]
img = (127 + 60 * np.sin(rows / 3.1) * np.cos(columns / 2.3)
       + random.integers(-60, 61, rows.shape)).clip(0, 255).astype(np.uint8)
label = random.integers(0, 21, rows.shape, dtype=np.uint8)
matrix = cv2.getRotationMatrix2D((159.5, 119.5), -7.3, 1)
size = (320, 240)
bgr = np.dstack([img, label * 12, img[::-1]])
# The definition: each pixel of the target looks into the source by the inverse of the matrix.
inverse = cv2.invertAffineTransform(matrix)
x, y = (inverse[:, 0, None, None] * columns + inverse[:, 1, None, None] * rows
        + inverse[:, 2, None, None])
left, top = np.floor(x).astype(int), np.floor(y).astype(int)
padded = np.pad(img.astype(float), 1)
exact = 0
for dy in (0, 1):
    for dx in (0, 1):
        weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
        exact = exact + weight * padded[(top + dy + 1).clip(0, 241), (left + dx + 1).clip(0, 321)]
inner = (x > 1) & (x < 318) & (y > 1) & (y < 238)
linear = cv2.warpAffine(img, matrix, size, flags=cv2.INTER_LINEAR)
hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
np.savez(sys.argv[1], linear=linear,
         nearest=cv2.warpAffine(label, matrix, size, flags=cv2.INTER_NEAREST),
         error=np.abs(linear - exact)[inner].mean() - np.abs(np.rint(exact) - exact)[inner].mean(),
         resized=cv2.resize(img, (501, 333)), hsv=hsv, back=cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR),
         labels=cv2.resize(label, (501, 333), interpolation=cv2.INTER_NEAREST),
         clahe=cv2.createCLAHE(40, (8, 8)).apply(img))
PYTHON
for version in 4.12.0.88 5.0.0.93; do
    "${PYTHON:-python3}" -m venv "$folder/$version"
    "$folder/$version/bin/pip" install -q "opencv-python-headless==$version" numpy==2.2.6
    "$folder/$version/bin/python" "$folder/rotate.py" "$folder/$version.npz"
done
cat > "$folder/compare.py" <<'PYTHON'
import sys

import numpy as np

old, new = (np.load(file) for file in sys.argv[1:])
labels = (old['nearest'] != new['nearest']).mean()
change = np.abs(old['linear'].astype(int) - new['linear'])
print('nearest: some labels differ, under 1 %:', bool(0 < labels < 0.01))
print('linear: over 10 % of the values differ, by more than rounding:',
      bool((change > 0).mean() > 0.1 and change.max() > 1))
print('against exact arithmetic, mean error of linear, 4.12 over 5.0: more than 5 times:',
      bool(old['error'] > 5 * abs(new['error'])))
print('resize linear, resize nearest, HSV and CLAHE are equal:',
      all(np.array_equal(old[name], new[name])
          for name in ('resized', 'labels', 'hsv', 'back', 'clahe')))
PYTHON
"$folder/5.0.0.93/bin/python" "$folder/compare.py" "$folder"/{4.12.0.88,5.0.0.93}.npz |
    tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
