"""Run lengths of COCO: against a plain encoder, and COCO's own tools where they are installed."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.converters.rle import decode_rle

from .archives import encode_rle


def masks():
    random = np.random.RandomState(0)
    for share in (0.0, 0.01, 0.5, 0.99, 1.0):
        for height, width in ((1, 1), (1, 70), (90, 1), (37, 53), (300, 400)):
            yield random.rand(height, width) < share
    large = np.zeros((1500, 1100), bool)  # runs that take several characters
    large[700:, 3:900] = large[2:9, 1000:] = True
    yield large


@pytest.mark.parametrize('as_list', [True, False])
def test_masks_come_back(as_list):
    for mask in masks():
        found = decode_rle(encode_rle(mask, as_list), 'a')
        assert found.dtype == bool
        np.testing.assert_array_equal(found, mask)


def test_bytes():
    mask = next(masks())
    encoded = encode_rle(mask)
    np.testing.assert_array_equal(
        decode_rle(encoded | dict(counts=encoded['counts'].encode()), 'a'), mask)


def test_against_pycocotools():
    """Written for pycocotools 2.0.11, on Python 3.11 and NumPy 2.4."""
    tools = pytest.importorskip('pycocotools.mask')
    for mask in masks():
        official = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert official['counts'].decode() == encode_rle(mask)['counts']
        np.testing.assert_array_equal(decode_rle(official, 'a'), mask)


@pytest.mark.parametrize(('segmentation', 'told'), [
    ([[1, 2, 3, 4]], 'is dict'), (None, 'is dict'), (dict(counts=[4]), 'is dict'),
    (dict(size=[2], counts=[2]), 'is dict'), (dict(size=[2, 0], counts=[0]), 'is dict'),
    (dict(size=[2, '2'], counts=[4]), 'is dict'),
    (dict(size=[2, 2]), 'fill'), (dict(size=[2, 2], counts=[3]), 'fill 2 x 2'),
    (dict(size=[2, 2], counts=[5]), 'fill'), (dict(size=[2, 2], counts=[5, -1]), 'fill'),
    (dict(size=[2, 2], counts=[2.0, 2]), 'fill'), (dict(size=[2, 2], counts=''), 'fill'),
    (dict(size=[2, 2], counts='4 '), 'fill'), (dict(size=[2, 2], counts='T'), 'fill'),
    (dict(size=[2, 2], counts='\u00e9'), 'fill'), (dict(size=[2, 2], counts='5O'), 'fill'),
    (dict(size=[2, 2], counts='o' * 20 + '4'), 'fill')])
def test_malformed(segmentation, told):
    with pytest.raises(DataError, match=f'b.json: 7.*{told}.*; fetch the file again'):
        decode_rle(segmentation, 'b.json: 7')


def test_a_size_that_nothing_can_hold():
    with pytest.raises(DataError, match='limit'):
        decode_rle(dict(size=[10**6, 10**6], counts=[10**12]), 'a')
