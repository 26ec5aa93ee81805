"""Run lengths against loops, golden texts and pycocotools."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.raster.rle import coco_rle, fill_runs, unpack_counts

from ...coco_rle import pack, rle_of, runs_of


def random_masks():
    random = np.random.default_rng(0)
    for number in range(60):
        size = tuple(random.integers(1, 90, 2).tolist())
        blocks = random.random((size[0] // 9 + 1, size[1] // 9 + 1)) < random.random()
        mask = np.kron(blocks, np.ones((9, 9), bool))[:size[0], :size[1]]
        yield mask if number else np.ones((200, 300), bool)


@pytest.mark.parametrize('packed', [False, True])
def test_masks(packed):
    for mask in random_masks():
        np.testing.assert_array_equal(coco_rle(rle_of(mask, packed), mask.shape), mask)


def test_a_text_of_pycocotools():
    """Of version 2.0.11, for a mask of 7 x 5 pixels with a block at rows 2 to 5, columns 1 to 3."""
    mask = np.zeros((7, 5), bool)
    mask[2:6, 1:4] = True
    np.testing.assert_array_equal(coco_rle(dict(size=[7, 5], counts='9430005'), (7, 5)), mask)


def test_pycocotools_itself():
    package = pytest.importorskip('pycocotools.mask')
    for mask in random_masks():
        rle = package.encode(np.asfortranarray(mask, np.uint8))
        text = rle['counts'].decode()
        assert text == pack(runs_of(mask))
        np.testing.assert_array_equal(coco_rle(dict(size=rle['size'], counts=text), mask.shape),
                                      mask)


@pytest.mark.parametrize(('rle', 'message'), [
    (dict(size=[3, 2], counts=[6]), r'size \[3, 2\], and the image has \[height, width\] \[2, 3\]'),
    (dict(counts=[6]), 'size None'),
    (dict(size=[2, 3], counts=[2, 3]), 'covers 5 pixels, and the image .* has 6'),
    (dict(size=[2, 3], counts=[2, 10**30]), 'no list of run lengths|covers'),
    (dict(size=[2, 3], counts=[7, -1]), r'no list of run lengths: \[7, -1\]'),
    (dict(size=[2, 3], counts=[1.5, 4.5]), 'no list of run lengths'),
    (dict(size=[2, 3], counts=[]), 'no list of run lengths'),
    (dict(size=[2, 3], counts=[[1], [2, 3]]), 'no list of run lengths'),
    (dict(size=[2, 3]), 'no list of run lengths'),
    (dict(size=[2, 3], counts=''), 'no text of COCO'),
    (dict(size=[2, 3], counts='\u00e9\u4e2d'), 'no text of COCO'),
    (dict(size=[2, 3], counts='6 '), 'no text of COCO'),
    (dict(size=[2, 3], counts='P'), 'no text of COCO'),
    (dict(size=[2, 3], counts='P' * 20 + '0'), 'a number of 21 digits'),
    (dict(size=[2, 3], counts='O'), 'no list of run lengths'),
])
def test_errors(rle, message):
    with pytest.raises(DataError, match=message):
        coco_rle(rle, (2, 3))


def test_numbers_of_several_characters():
    assert unpack_counts(pack([100_000, 3, 70_000, 90_000, 2])).tolist() == [
        100_000, 3, 70_000, 90_000, 2]


def test_runs_of_no_pixel():
    assert fill_runs([0, 2, 0, 1], 3).tolist() == [True] * 3
