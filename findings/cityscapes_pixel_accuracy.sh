#!/usr/bin/env bash
# Which pixels cityscapesscripts counts in the per-image figures of its semantic evaluation.
#
# Versions: cityscapesscripts 2.3.0, NumPy 2.3.5, Pillow 12.3.0; Python 3.11.
# With args.evalPixelAccuracy, which toolkits set (mmsegmentation 0.x does), the result has for each
# image nbNotIgnoredPixels and nbCorrectPixels. A good engineer would take the second over the first
# for the accuracy. Instead the first is the number of pixels that ARE ignored, and the second the
# number of those of them whose prediction differs: of an image of 100 pixels, 10 of them void and
# all others predicted right, 10 and 10. Without a void pixel both are 0, however good it is.
# Output seen:
#   all right, 10 of 100 pixels void: nbNotIgnoredPixels 10, nbCorrectPixels 10, road 1.0
#   all wrong, 10 of 100 pixels void: nbNotIgnoredPixels 10, nbCorrectPixels 10, road 0.0
#   all right, nothing void: nbNotIgnoredPixels 0, nbCorrectPixels 0, road 1.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.3.5 pillow==12.3.0 appdirs==1.4.4 pyquaternion==0.9.9
"$folder/venv/bin/pip" install -q --no-deps cityscapesscripts==2.3.0
cat > "$folder/score.py" <<'PYTHON'
import contextlib
import io
import os
import sys

import numpy as np
from PIL import Image

from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as script

ROAD, SIDEWALK, VOID = 7, 8, 0
os.chdir(sys.argv[1])
script.args.evalPixelAccuracy = True
script.writeJSONFile = lambda *_: None  # it does not take NumPy's numbers


def score(text, void, found):
    truth = np.full((10, 10), ROAD, np.uint8)
    truth[:void] = VOID
    Image.fromarray(truth).save('gt_labelIds.png')
    Image.fromarray(truth.astype(np.uint16)).save('gt_instanceIds.png')
    Image.fromarray(np.full((10, 10), found, np.uint8)).save('pred.png')
    with contextlib.redirect_stdout(io.StringIO()):
        result = script.evaluateImgLists(['pred.png'], ['gt_labelIds.png'], script.args)
    counts = ', '.join(f'{name} {number}' for name, number
                       in result['perImageScores']['pred.png'].items())
    print(f"{text}: {counts}, road {result['classScores']['road']}")


score('all right, 10 of 100 pixels void', 1, ROAD)
score('all wrong, 10 of 100 pixels void', 1, SIDEWALK)
score('all right, nothing void', 0, ROAD)
PYTHON
"$folder/venv/bin/python" "$folder/score.py" "$folder" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
