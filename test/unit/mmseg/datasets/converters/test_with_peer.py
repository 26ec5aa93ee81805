"""The converters against those of mmsegmentation 0.30, as programs, on the same archives.

MMSEG_PEER_PYTHON is the Python of an environment with mmsegmentation 0.30.0 and mmcv 1.7.2.
"""
import os
import subprocess
from functools import partial

import numpy as np
import pytest

from mmseg.datasets.converters.aerial.isaid import convert_isaid
from mmseg.datasets.converters.aerial.loveda import convert_loveda
from mmseg.datasets.converters.aerial.potsdam import convert_potsdam
from mmseg.datasets.converters.aerial.vaihingen import convert_vaihingen
from mmseg.datasets.converters.coco_stuff10k import convert_coco_stuff10k
from mmseg.datasets.converters.coco_stuff164k import convert_coco_stuff164k

from .aerial import test_isaid as isaid
from .aerial.test_isprs import COLOURS, Potsdam, Vaihingen, write
from .aerial.test_loveda import make_files
from .plain_tiles import assert_same, contents, encoded, scene, zipped
from .test_coco_stuff import Hundred, Ten

pytestmark = pytest.mark.skipif(
    'MMSEG_PEER_PYTHON' not in os.environ,
    reason='set MMSEG_PEER_PYTHON to the Python of an environment with mmsegmentation 0.30')


def run_peer(folder, tool, *arguments):
    """Run a converter of the peer, which stands in its package, where no other mmseg is found."""
    code = ('import mmseg, os, runpy, sys; '
            'sys.argv[0] = os.path.join(os.path.dirname(mmseg.__file__), '
            f'".mim/tools/convert_datasets/{tool}.py"); '
            'runpy.run_path(sys.argv[0], run_name="__main__")')
    # -O: it asserts that COCO-Stuff has all of its images.
    done = subprocess.run([os.environ['MMSEG_PEER_PYTHON'], '-O', '-c', code, *map(str, arguments)],
                          cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def write_city(kind, source):
    city = kind()
    city.source = source
    # All sides are longer than a window: of others the peer makes windows with negative corners.
    city.sizes = dict(train=dict.fromkeys(kind.sizes['train'], (70, 90)),
                      val=dict.fromkeys(kind.sizes['val'], (64, 65)))
    city.scenes = {number: scene(seed, *size, COLOURS) for seed, (number, size) in enumerate(
        [*city.sizes['train'].items(), *city.sizes['val'].items()])}
    city.elsewhere, city.tiles = {}, {}  # OpenCV cannot read tiles of 16 x 16 pixels
    city.places = city.archives(city.scenes)
    # The peer reads every .tif of an archive.
    city.places = {name: (inner, {file: data for file, data in files.items() if data != b''})
                   for name, (inner, files) in city.places.items() if files}
    write(city, 'zips')


def write_isaid(source):
    for split, sizes in isaid.SIZES.items():
        files = {name: scene(len(name), *size, isaid.COLOURS) for name, size in sizes.items()}
        (source / split / 'images').mkdir(parents=True)
        (source / split / 'images/part1.zip').write_bytes(zipped(
            {f'images/{name}.png': encoded(image) for name, (image, _) in files.items()}))
        if split != 'test':
            isaid.write_masks(source, split, {
                f'images/{name}{isaid.SUFFIX}.png': encoded(colours)
                for name, (_, colours) in files.items()})


def write_loveda(source):
    source.mkdir()
    for split in ('Train', 'Val', 'Test'):
        (source / f'{split}.zip').write_bytes(zipped({
            name: encoded(array) for name, array in make_files().items()
            if name.startswith(split)}))


def write_coco(kind, source):
    coco = kind()
    coco.root = source
    coco.write(source)
    if kind is Ten:
        names = ''.join(f'{name}\n' for _, name in coco.pairs())
        (source / 'imageLists/all.txt').write_text(names)
    for split, name in coco.pairs():
        coco.image(source, split, name).write_bytes(encoded(np.zeros((14, 15, 3), np.uint8)))


# Our options, and those that only the peer gets: its stride has no effect, but must be smaller
# than the windows, and it takes widths for heights.
SQUARE = dict(patch_width=40, patch_height=40, overlap_area=16)
CASES = {
    'potsdam': (partial(write_city, Potsdam), convert_potsdam, dict(clip_size=32),
                dict(stride_size=16)),
    'vaihingen': (partial(write_city, Vaihingen), convert_vaihingen, dict(clip_size=32),
                  dict(stride_size=16)),
    'isaid': (write_isaid, convert_isaid, SQUARE, {}),
    'coco_stuff10k': (partial(write_coco, Ten), convert_coco_stuff10k, {}, {}),
    'coco_stuff164k': (partial(write_coco, Hundred), convert_coco_stuff164k, {}, {}),
    'loveda': (write_loveda, convert_loveda, {}, {}),
}


@pytest.mark.parametrize('name', CASES)
def test_the_same_files(tmp_path, name):
    prepare, convert, options, more = CASES[name]
    prepare(tmp_path / 'source')
    convert(tmp_path / 'source', out_dir=tmp_path / 'ours', **options)
    words = [word for key, value in (options | more).items() for word in (f'--{key}', value)]
    run_peer(tmp_path, name, tmp_path / 'source', '-o', tmp_path / 'theirs', *words)
    theirs, ours = contents(tmp_path / 'theirs'), contents(tmp_path / 'ours')
    if name == 'isaid':
        # It gives the masks mode P without a palette, of which Pillow 13 writes one bit a pixel.
        ours = {file: np.minimum(array, 1) if file.startswith('ann_dir') else array
                for file, array in ours.items()}
    assert_same(ours, theirs)
    assert any(np.unique(array).size > 3 for array in theirs.values())
