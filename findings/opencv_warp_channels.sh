#!/usr/bin/env bash
# What OpenCV makes of images with more channels than colours have, in the functions that move pixels.
#
# Versions: opencv-python-headless 5.0.0.93, NumPy 2.3.5; Python 3.11.
# A good engineer would expect the result of each channel by itself, or an error. Instead:
# - warpAffine moves two channels, and five or more, otherwise than one, three or four, even by the
#  nearest pixel: 5.0 kept the coarse places of 4.x for them. An image of five bands and its mask of
#  one are rotated apart;
# - beyond the border five or more channels get the first four values again, so that the fifth is
#  filled with the first;
# - resize takes five channels, but by INTER_AREA no more than four unless it divides both sides;
# - an array of 129 channels is refused by all of them (4.x: 513).
# Output seen:
#   nearest, as each channel by itself: 1 True, 2 False, 3 True, 4 True, 5 False, 6 False
#   fifth channel beyond the border, filled with (10, 20, 30, 40): 10
#   INTER_LINEAR of five channels: done, INTER_AREA: by two done, by three halves refused
#   128 channels: done, 129: refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 numpy==2.3.5
cat > "$folder/warp.py" <<'PYTHON'
import cv2
import numpy as np

img = np.random.default_rng(0).integers(0, 256, (60, 80, 129), dtype=np.uint8)
turn = cv2.getRotationMatrix2D((40, 30), 17, 1)


def warp(img):
    return cv2.warpAffine(img, turn, (80, 60), flags=cv2.INTER_NEAREST)


def tried(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
        return 'done'
    except cv2.error:
        return 'refused'


def first(count):
    return np.ascontiguousarray(img[..., :count])


alike = {count: np.array_equal(warp(first(count)).reshape(60, 80, count), np.dstack(
    [warp(np.ascontiguousarray(img[..., band])) for band in range(count)]))
    for count in range(1, 7)}
print('nearest, as each channel by itself:',
      ', '.join(f'{count} {same}' for count, same in alike.items()))
filled = cv2.warpAffine(first(5), np.float32([[1, 0, 80], [0, 1, 60]]), (80, 60),
                        borderValue=(10, 20, 30, 40))
print('fifth channel beyond the border, filled with (10, 20, 30, 40):', filled[0, 0, 4])
by_two, by_three_halves = (tried(cv2.resize, first(5), size, interpolation=cv2.INTER_AREA)
                           for size in ((40, 30), (53, 40)))
print(f'INTER_LINEAR of five channels: {tried(cv2.resize, first(5), (40, 30))}, INTER_AREA: '
      f'by two {by_two}, by three halves {by_three_halves}')
print('128 channels:', tried(cv2.resize, first(128), (40, 30)) + ',', '129:',
      tried(cv2.resize, img, (40, 30)))
PYTHON
"$folder/venv/bin/python" "$folder/warp.py" 2> "$folder/errors" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
