#!/usr/bin/env bash
# What --stride_size does in mmsegmentation's converters of Potsdam and Vaihingen.
#
# Versions: mmsegmentation 0.30.0, mmcv 1.7.2 (without operators), NumPy 1.26.4,
# opencv-python-headless 4.11.0.86; Python 3.11.
# The option is documented as the distance of windows, 256 by default beside windows of 512, and a
# good engineer would expect overlapping windows. Instead the windows lie side by side for every
# value: with a smaller one the same windows are cut again and written over, so that 344 windows of
# Vaihingen and 3456 of Potsdam (what its documents say, and its published scores are of) are those
# of a stride of 512. A stride above the size of the windows leaves the right and lower part out.
# Output seen, for a tile of 100 x 100 and windows of 32:
#   stride 16: 16 windows, left 0 32 64 68
#   stride 32: 16 windows, left 0 32 64 68
#   stride 64: 9 windows, left 0 32 64
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
pip="$folder/venv/bin/pip"
"$pip" install -q 'setuptools<81' wheel numpy==1.26.4 opencv-python-headless==4.11.0.86 \
    pillow==11.3.0 pyyaml==6.0.2 addict==2.4.0 yapf==0.40.1 packaging==25.0
"$pip" install -q --no-deps --no-build-isolation mmcv==1.7.2
"$pip" download -q --no-deps -d "$folder" mmsegmentation==0.30.0
"$folder/venv/bin/python" -m zipfile -e "$folder"/mmsegmentation-*.whl "$folder/wheel"
cat > "$folder/convert.py" <<'PYTHON'
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(sys.argv[1])
(folder / 'archives').mkdir()
tile = io.BytesIO()
Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(tile, format='TIFF')
for archive, name in (('2_Ortho_RGB', 'top_potsdam_2_10_RGB.tif'),
                      ('5_Labels_all_noBoundary', 'top_potsdam_2_10_label_noBoundary.tif')):
    with zipfile.ZipFile(folder / f'archives/{archive}.zip', 'w') as file:
        file.writestr(name, tile.getvalue())
for stride in (16, 32, 64):
    out = folder / f'stride_{stride}'
    subprocess.run([sys.executable, folder / 'wheel/mmseg/.mim/tools/convert_datasets/potsdam.py',
                    folder / 'archives', '-o', out, '--clip_size', '32', '--stride_size',
                    str(stride)], check=True, capture_output=True)
    names = [path.stem for path in (out / 'img_dir/train').iterdir()]
    lefts = sorted({int(name.split('_')[2]) for name in names})
    print(f'stride {stride}: {len(names)} windows, left', *lefts)
PYTHON
"$folder/venv/bin/python" "$folder/convert.py" "$folder" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
