"""`resize` and `Upsample` against bilinear interpolation written out."""
import logging

import numpy as np
import pytest
import torch

from mmseg.ops import Upsample, resize


def axis_weights(source, target, align_corners):
    """[target, source] matrix of linear interpolation along one axis."""
    matrix = np.zeros((target, source))
    for i in range(target):
        if align_corners:
            place = i * (source - 1) / (target - 1) if target > 1 else 0.0
        else:
            place = max((i + 0.5) * source / target - 0.5, 0.0)
        low = min(int(place), source - 1)
        high = min(low + 1, source - 1)
        matrix[i, low] += 1 - (place - low)
        matrix[i, high] += place - low
    return matrix


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(('source', 'target'), [((4, 5), (9, 7)), ((6, 6), (3, 4)),
                                                ((1, 1), (4, 6)), ((3, 4), (1, 1))])
def test_bilinear(source, target, align_corners):
    x = np.random.rand(2, 3, *source)
    rows = axis_weights(source[0], target[0], align_corners)
    cols = axis_weights(source[1], target[1], align_corners)
    expected = np.einsum('ih,nchw,jw->ncij', rows, x, cols)
    out = resize(torch.from_numpy(x), target, mode='bilinear', align_corners=align_corners)
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-12)


def test_scale_factor_and_nearest_are_the_defaults_of_torch():
    x = torch.rand(1, 1, 2, 2)
    out = resize(x, scale_factor=2)
    torch.testing.assert_close(out, x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert resize(x, 3).shape == (1, 1, 3, 3)


@pytest.mark.parametrize(('source', 'target', 'options', 'warned'), [
    ((5, 6), (19, 22), {}, True),
    ((5, 6), (17, 26), {}, False),
    ((5, 6), (18, 26), {}, False),
    ((5, 7), (19, 22), dict(warning=False), False),
    ((9, 11), (4, 5), {}, False),
    ((1, 5), (4, 12), {}, False)])
def test_sizes_that_do_not_align_are_warned_about_once(caplog, source, target, options, warned):
    x = torch.rand(1, 1, *source)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            resize(x, target, mode='bilinear', align_corners=True, **options)
            resize(x, target, mode='bilinear', align_corners=False)
    assert caplog.text.count('align_corners=True from') == int(warned)


def test_upsample_layer():
    x = torch.rand(1, 2, 5, 4)
    assert Upsample(scale_factor=1.5)(x).shape == (1, 2, 7, 6)
    assert Upsample(scale_factor=(2, 3))(x).shape == (1, 2, 10, 12)
    assert Upsample(scale_factor=(2, 3)).scale_factor == (2.0, 3.0)
    assert repr(Upsample(scale_factor=2).scale_factor) == '2.0'
    layer = Upsample(size=(9, 8), mode='bilinear', align_corners=True)
    torch.testing.assert_close(layer(x), resize(x, (9, 8), mode='bilinear', align_corners=True,
                                                warning=False))
