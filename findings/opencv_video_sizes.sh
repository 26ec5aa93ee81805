#!/usr/bin/env bash
# What OpenCV's VideoWriter makes of pictures of an odd size, or of another size than the first.
#
# Versions: opencv-python-headless 5.0.0.93 and 4.12.0.88, NumPy 2.2.6; Python 3.11.
# A good engineer would expect an error, or a file with what was written. Instead the writer is
# open, and
# - of an odd size the last column and row are missing in the file (VP80, mp4v and MJPG alike);
# - a picture of another size is left out; version 5 returns False, version 4 returns nothing, so
#   that nobody can know.
# Output seen:
#   5.0.0 VP80: open True; written True; other size False; 1 frame of 640 x 360
#   5.0.0 mp4v: open True; written True; other size False; 1 frame of 640 x 360
#   5.0.0 MJPG: open True; written True; other size False; 1 frame of 640 x 360
#   4.12.0 VP80: open True; written None; other size None; 1 frame of 640 x 360
#   4.12.0 mp4v: open True; written None; other size None; 1 frame of 640 x 360
#   4.12.0 MJPG: open True; written None; other size None; 1 frame of 640 x 360
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
cat > "$folder/write.py" <<'PYTHON'
import sys

import cv2
import numpy as np

for code, suffix in (('VP80', 'webm'), ('mp4v', 'mp4'), ('MJPG', 'avi')):
    file = f'{sys.argv[1]}/video.{suffix}'
    writer = cv2.VideoWriter(file, cv2.VideoWriter_fourcc(*code), 25, (641, 361))
    is_open = writer.isOpened()
    written = writer.write(np.zeros((361, 641, 3), np.uint8))
    other = writer.write(np.zeros((100, 100, 3), np.uint8))
    writer.release()
    capture, frames = cv2.VideoCapture(file), []
    while (found := capture.read())[0]:
        frames.append(found[1])
    height, width = frames[0].shape[:2]
    print(f'{cv2.__version__} {code}: open {is_open}; written {written}; other size {other}; '
          f'{len(frames)} frame of {width} x {height}')
PYTHON
for version in 5.0.0.93 4.12.0.88; do
    "$folder/venv/bin/pip" install -q "opencv-python-headless==$version" numpy==2.2.6
    "$folder/venv/bin/python" "$folder/write.py" "$folder" 2> /dev/null
done | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   \([45]\)/\1/p' "$0")
