"""The parts that operators work in, and the types that they compute with."""
import pytest
import torch

from mmcv_replace.ops.parts import parts
from mmcv_replace.ops.precision import wide_type
from mmcv_replace.utils.autocast import no_autocast


@pytest.mark.parametrize('count', [0, 1, 2, 7, 10, 64])
@pytest.mark.parametrize('cost', [0, 1, 3, 100])
@pytest.mark.parametrize('limit', [1, 8, 20])
def test_parts_cover_all_within_the_limit(count, cost, limit):
    found = parts(count, cost, limit)
    assert [i for part in found for i in range(count)[part]] == list(range(count))
    sizes = [part.stop - part.start for part in found]
    assert all(size == 1 or size * cost <= limit for size in sizes)
    # No more of them than needed.
    most = max(1, limit // max(1, cost))
    assert len(found) <= -(-count // most)


def test_parts_are_about_equal():
    assert parts(9, 2, 16) == [slice(0, 5), slice(5, 9)]


def test_wide_types():
    low = torch.float16, torch.bfloat16, torch.float32, torch.int64
    assert {wide_type(dtype) for dtype in low} == {torch.float32}
    assert wide_type(torch.float64) == torch.float64


def test_no_autocast():
    x = torch.ones(2, 2)
    with torch.autocast('cpu', torch.bfloat16):
        with no_autocast(x):
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16


def test_no_autocast_where_a_device_has_none():
    with no_autocast(torch.ones(2, device='meta')):
        pass
