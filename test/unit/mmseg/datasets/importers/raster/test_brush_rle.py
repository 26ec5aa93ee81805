"""Label Studio's brushes: packed bit by bit here, and by its own package."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.raster.brush_rle import brush_mask


def pack(values, width=8, lengths=(3, 4, 8, 16), singles=False):
    """Bytes of @thi.ng/rle-pack as its documentation says; `singles`: values one by one."""
    bits = f'{len(values):032b}{width - 1:05b}' + ''.join(f'{size - 1:04b}' for size in lengths)
    start = 0
    while start < len(values):
        end = start + 1
        while end < len(values) and end - start < 2 ** lengths[-1] and (
                singles and end - start < 9 or values[end] == values[start]):
            end += 1
        kind = next(number for number, size in enumerate(lengths) if end - start <= 2 ** size)
        bits += f'{int(not singles)}{kind:02b}{end - start - 1:0{lengths[kind]}b}'
        bits += ''.join(f'{value:0{width}b}'
                        for value in values[start:end if singles else start + 1])
        start = end
    bits += '0' * (-len(bits) % 8)
    return [int(bits[place:place + 8], 2) for place in range(0, len(bits), 8)]


def rgba(mask, colour=(3, 7, 9), alpha=150):
    """Values of an image in a colour, which only the alpha makes a mask."""
    image = np.full((*mask.shape, 4), (*colour, 0))
    image[mask, 3] = alpha
    return image.ravel().tolist()


def random_masks():
    random = np.random.default_rng(0)
    for _ in range(20):
        blocks = random.random(random.integers(1, 5, 2)) < 0.5
        yield np.kron(blocks, np.ones(random.integers(1, 12, 2), bool))


@pytest.mark.parametrize('options', [
    {}, dict(singles=True), dict(lengths=(1, 2, 5, 9)), dict(width=12),
    dict(width=9, lengths=(2, 3, 4, 6), singles=True)])
def test_masks(options):
    for mask in random_masks():
        np.testing.assert_array_equal(brush_mask(pack(rgba(mask), **options), mask.shape), mask)


def test_every_alpha_but_0_counts():
    mask = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(brush_mask(pack(rgba(mask, alpha=1)), (5, 5)), mask)


def test_long_runs():
    mask = np.zeros((300, 400), bool)
    mask[200:] = True
    np.testing.assert_array_equal(
        brush_mask(pack(np.repeat(mask.ravel() * 255, 4).tolist()), mask.shape), mask)


def test_label_studio_itself():
    package = pytest.importorskip('label_studio_sdk.converter.brush')
    for mask in random_masks():
        rle = package.mask2rle(mask.astype(np.uint8) * 255)
        assert (package.decode_rle(rle).reshape(*mask.shape, 4)[..., 3] > 0).tolist() == (
            mask.tolist())
        np.testing.assert_array_equal(brush_mask(rle, mask.shape), mask)


GOOD = pack(rgba(np.ones((2, 3), bool)))


@pytest.mark.parametrize(('rle', 'message'), [
    (GOOD[:2], 'ends early'), (GOOD[:9], 'ends early'),
    (pack([1] * 24, singles=True)[:-3], 'ends early'),
    (pack([1] * 20), 'painted on 5 pixels, and the image has 6'),
    ([0, 0, 0, 24, *GOOD[4:7], 255, 255, 255, 255, 255], 'more values than it says'),
    ([300], 'a list of bytes'), (10 ** 12, 'a list of bytes, and not 1000000000000'),
    ('text', 'a list of bytes'), (None, 'a list of bytes'),
    ([[1]], 'a list of bytes')])
def test_errors(rle, message):
    with pytest.raises(DataError, match=message):
        brush_mask(rle, (2, 3))
