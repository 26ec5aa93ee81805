import math

import pytest
import torch

from mmcv_replace.parallel.buckets import exchange_joined


@pytest.mark.parametrize(('limit', 'sizes'), [
    (math.inf, [15, 1]), (20, [5, 9, 1, 1]), (0, [2, 3, 9, 1, 1])])
def test_messages_hold_one_type_and_at_most_their_limit(limit, sizes):
    single = [torch.ones(size) for size in ((1, 2), (3,), (3, 3), ())]
    double = torch.ones(1, dtype=torch.float64)
    found = []

    def exchange(values):
        found.append(values.numel())
        return values + torch.arange(values.numel())

    # A view, whose elements do not follow each other.
    single[2] = single[2].t()
    exchange_joined([double, *single], exchange, limit)
    assert sorted(found) == sorted(sizes)
    assert [tensor.shape for tensor in single] == [(1, 2), (3,), (3, 3), ()]
    assert single[0].tolist() == [[1, 2]]
    assert torch.equal(single[2].flatten() - single[2][0, 0], torch.arange(9.))
    assert double == 1


def test_nothing_to_exchange():
    exchange_joined([], pytest.fail)
