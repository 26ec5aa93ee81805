from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner.fp16_utils import cast_tensor_type, patch_forward_method, patch_norm_fp32

Pair = namedtuple('Pair', 'a b')
ONE, LOW = torch.ones(1), torch.ones(1, dtype=torch.half)


def cast(value):
    return cast_tensor_type(value, torch.float32, torch.half)


@pytest.mark.parametrize('make', [
    lambda x: [x, x], lambda x: (x, 'a'), lambda x: Pair(x, 3), lambda x: {'k': [x]},
    lambda x: OrderedDict(k=x), lambda x: defaultdict(list, k=x)])
def test_containers_keep_their_type(make):
    given = make(ONE)
    out = cast(given)
    assert type(out) is type(given)
    assert repr(out) == repr(make(LOW))
    assert repr(given) == repr(make(ONE))


def test_other_types_stay():
    module = nn.BatchNorm2d(1)
    for value in (LOW, torch.ones(1, dtype=torch.int32), 'text', 5, None, module,
                  np.array([5.])):
        assert cast(value) is value
    assert cast_tensor_type(5, None, None) == 5
    assert cast_tensor_type(ONE, None, torch.half) is ONE
    assert cast_tensor_type(ONE, torch.float32, torch.int32).dtype is torch.int32


def test_patched_functions():
    seen = []

    def function(a, b):
        seen.extend([a.dtype, b.dtype])
        return a

    there_and_back = patch_forward_method(function, torch.half, torch.float32)
    assert there_and_back(LOW, b=LOW).dtype is torch.half
    there = patch_forward_method(function, torch.half, torch.float32, convert_output=False)
    assert there(LOW, b=LOW).dtype is torch.float32
    assert seen == [torch.float32] * 4


def test_norms_of_a_model_in_low_precision():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.GroupNorm(1, 2),
                          nn.LayerNorm(3)).half()
    assert patch_norm_fp32(model) is model
    assert [layer.weight.dtype for layer in model] == [torch.half, torch.float32, torch.float32,
                                                       torch.half]
    x = torch.randn(2, 2, 3, 3)
    out = model[2](x.half())
    assert out.dtype is torch.half
    torch.testing.assert_close(out.float(), nn.functional.group_norm(x, 1), atol=1e-2, rtol=1e-2)
