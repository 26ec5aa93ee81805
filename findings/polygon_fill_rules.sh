#!/usr/bin/env bash
# The libraries by which labelling tools fill polygons disagree on the pixels of a square.
#
# Versions: pycocotools 2.0.11, Pillow 12.3.0, opencv-python-headless 5.0.0.93, NumPy 2.3.5;
# Python 3.11, x86-64.
# A good engineer would expect the square from 1 to 5 to have 4 x 4 pixels everywhere, and two squares
# that share a side to share no pixel. So it is in pycocotools (COCO, CVAT). Pillow (labelme) and
# OpenCV (Ultralytics) fill the outline too: 5 x 5, and the side belongs to both, so that the order in
# the file decides. With pycocotools a centre on the outline is outside at the left and inside at the
# right, by rounding to fifths of a pixel: from 1.5 to 3.5 the square has pixels 2 and 3, and not 1
# and 2. Shares of the image (YOLO) are cut by OpenCV's users: 0.29 of 100 pixels is pixel 28 in
# double precision, 29 in single.
# Output seen:
#   pycocotools: 16 pixels, 0 in both neighbours, 1.5 to 3.5: [2, 3]
#   pillow: 25 pixels, 5 in both neighbours
#   opencv: 25 pixels, 5 in both neighbours
#   0.29 of 100: float64 28, float32 29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pycocotools==2.0.11 pillow==12.3.0 numpy==2.3.5 \
    opencv-python-headless==5.0.0.93
cat > "$folder/fill.py" <<'PYTHON'
import cv2
import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask

SIZE = (12, 14)


def pycocotools(points):
    flat = [float(value) for point in points for value in point]
    return mask.decode(mask.frPyObjects([flat], *SIZE))[..., 0] > 0


def pillow(points):
    image = Image.new('L', SIZE[::-1])
    ImageDraw.Draw(image).polygon(points, outline=1, fill=1)
    return np.asarray(image) > 0


def opencv(points):
    image = np.zeros(SIZE, np.uint8)
    cv2.fillPoly(image, [np.array(points, np.int32)], 1)
    return image > 0


def square(left, right, top, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


for fill in (pycocotools, pillow, opencv):
    first, second = fill(square(1, 5, 1, 5)), fill(square(5, 9, 1, 5))
    text = f'{fill.__name__}: {first.sum()} pixels, {(first & second).sum()} in both neighbours'
    if fill is pycocotools:
        columns = np.flatnonzero(fill(square(1.5, 3.5, 1, 5)).any(0)).tolist()
        text += f', 1.5 to 3.5: {columns}'
    print(text)
print('0.29 of 100:', ', '.join(
    f'{kind.__name__} {int(kind(0.29) * kind(100))}' for kind in (np.float64, np.float32)))
PYTHON
"$folder/venv/bin/python" "$folder/fill.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
