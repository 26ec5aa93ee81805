#!/usr/bin/env bash
# What OpenCV's VideoWriter tells where the disk takes no more.
#
# Versions: opencv-python-headless 5.0.0.93 and 4.12.0.88, NumPy 2.2.6; Python 3.11.
# A good engineer would expect that version 5, whose `write` returns whether a frame was written,
# returns False, or that `release` raises. Instead every frame of a file that is cut off at 60,000
# bytes (here by a limit of the process) is said to be written, and nothing else tells of it: the
# .avi even says to hold all 60 frames, of which a third can be decoded, and the .mp4 cannot be
# opened. Who has to know counts the frames of the finished file.
# Output seen:
#   5.0.0 avi: written {True}; 60000 bytes; says to have 60 frames, has 22
#   5.0.0 mp4: written {True}; 60000 bytes; says to have -1 frames, has 0
#   4.12.0 avi: written {None}; 60000 bytes; says to have 60 frames, has 22
#   4.12.0 mp4: written {None}; 60000 bytes; says to have 0 frames, has 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
cat > "$folder/write.py" <<'PYTHON'
import os
import resource
import sys

import cv2
import numpy as np

resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
draw = np.random.default_rng(0)
for suffix, code in (('avi', 'MJPG'), ('mp4', 'mp4v')):
    file = f'{sys.argv[1]}/video.{suffix}'
    writer = cv2.VideoWriter(file, cv2.VideoWriter_fourcc(*code), 240, (64, 48))
    written = {writer.write(draw.integers(0, 255, (48, 64, 3), np.uint8)) for _ in range(60)}
    writer.release()
    capture, frames = cv2.VideoCapture(file), 0
    said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    while capture.grab():
        frames += 1
    print(f'{cv2.__version__} {suffix}: written {written}; {os.path.getsize(file)} bytes; '
          f'says to have {said} frames, has {frames}')
PYTHON
for version in 5.0.0.93 4.12.0.88; do
    "$folder/venv/bin/pip" install -q "opencv-python-headless==$version" numpy==2.2.6
    "$folder/venv/bin/python" "$folder/write.py" "$folder" 2> /dev/null
done | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   \([45]\)/\1/p' "$0")
