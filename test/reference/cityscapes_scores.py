"""Scores by cityscapesscripts itself, of a small made data set in the layout of the archive.

    python -m venv city
    city/bin/pip install numpy==2.3.5 pillow==12.3.0 appdirs==1.4.4 pyquaternion==0.9.9
    city/bin/pip install --no-deps cityscapesscripts==2.3.0
    city/bin/python test/reference/cityscapes_scores.py FOLDER

writes the data set to FOLDER and prints what the package computes of it, which
`test/fixtures/cityscapes_scores.json` holds. Beside numpy 2.4, which has no in1d any more, its
evaluation fails. `test_cityscapes_scores.py` compares the fixture with our scores, and, with
`MMSEG_CITYSCAPES_PYTHON=city/bin/python`, with those of the package once more.
"""
import contextlib
import json
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image

# Label ids by train id; the other ids up to 33 are ignored.
LABEL_IDS = np.array([7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33])
WITH_INSTANCES = range(24, 34)
TRAIN = 16
NAMES = [f'{city}/{city}_{number:06}_{10 * number + 19:06}'
         for number, city in enumerate(['bonn', 'bonn', 'ulm', 'ulm', 'ulm'])]
SIZE = 48, 64  # a block of 4 x 4 is a segment


def write_pngs(folder):
    """Ground truth and predictions as the archive and the server have them.

    Of trains there is none, and only ignored pixels are taken for one; buses are only predicted.
    One image has no instances, and some segments of classes with instances are groups.
    """
    random = np.random.RandomState(7)
    for number, name in enumerate(NAMES):
        shape = SIZE[0] // 4, SIZE[1] // 4
        ids = random.choice(np.r_[0:24 if number == 1 else 28, 29, 30, 32, 33], shape)
        ids = np.where((number == 1) & (ids > 23), 7, ids)
        single = np.isin(ids, WITH_INSTANCES) & (random.rand(*shape) < 0.8)
        instances = np.where(single, 1000 * ids + random.randint(0, 6, shape), ids)
        known = np.searchsorted(LABEL_IDS, ids) % len(LABEL_IDS)
        guess = random.choice([index for index in range(19) if index != TRAIN], SIZE)
        found = np.where(random.rand(*SIZE) < 0.6, enlarge(known), guess)
        for kind, values, dtype in (('gtFine_labelIds', enlarge(ids), np.uint8),
                                    ('gtFine_instanceIds', enlarge(instances), np.uint16),
                                    ('pred', LABEL_IDS[found], np.uint8)):
            file = Path(folder, kind.partition('_')[0], f'{name}_{kind}.png')
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(dtype)).save(file)


def enlarge(segments):
    return segments.repeat(4, axis=0).repeat(4, axis=1)


def official_scores(folder):
    """What the package returns of the files of `write_pngs`, without matrix and priors."""
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as script
    script.args.exportFile = str(Path(folder, 'result.json'))
    with contextlib.redirect_stdout(sys.stderr):
        found = script.evaluateImgLists([str(Path(folder, 'pred', f'{name}_pred.png'))
                                         for name in NAMES],
                                        [str(Path(folder, 'gtFine', f'{name}_gtFine_labelIds.png'))
                                         for name in NAMES], script.args)
    return {key: value for key, value in found.items() if 'cores' in key or 'Score' in key}


def without_nan(value):
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    return None if math.isnan(value) else value


if __name__ == '__main__':
    write_pngs(sys.argv[1])
    print(json.dumps(without_nan(official_scores(sys.argv[1])), indent=1))
