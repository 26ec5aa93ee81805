#!/usr/bin/env bash
# How many bits of a label map Pillow keeps in an indexed PNG.
#
# Versions: Pillow 13.0.0, NumPy 2.3.5; Python 3.11.
# A good engineer would expect the values of the pixels to stay, or an error. Instead the number of
# bits a pixel follows from the number of colours in the palette, and higher bits are cut off without
# a word: masks of up to 16 classes lose the 255 of ignored pixels, which becomes 15 (of up to 4
# colours 3, of 2 colours 1), that is, a class. Without a palette one bit is left: masks to which a
# program gives mode P and no colours are 0 and 1, as those of iSAID by mmsegmentation 0.30's converter
# are. With 17 colours and more, as for VOC and Cityscapes, all is well. 256 keep everything.
# Output seen:
#   palette of 0 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 1, 1, 1, 1]
#   palette of 2 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 1, 1, 1, 1]
#   palette of 4 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 2, 3, 0, 3]
#   palette of 16 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 2, 15, 0, 15]
#   palette of 17 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 2, 15, 16, 255]
#   palette of 256 colours: [0, 1, 2, 15, 16, 255] -> [0, 1, 2, 15, 16, 255]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==13.0.0 numpy==2.3.5
cat > "$folder/save.py" <<'PYTHON'
import io

import numpy as np
from PIL import Image

values = np.array([[0, 1, 2, 15, 16, 255]], np.uint8)
for number in (0, 2, 4, 16, 17, 256):
    image = Image.frombytes('P', values.shape[::-1], values.tobytes())
    if number:
        image.putpalette([level for colour in range(number) for level in (colour, 0, 0)])
    file = io.BytesIO()
    image.save(file, format='PNG')
    print(f'palette of {number} colours: {values[0].tolist()} ->',
          np.array(Image.open(file))[0].tolist())
PYTHON
"$folder/venv/bin/python" "$folder/save.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
