"""mmcv's precision decorators under autocast on the CPU."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import auto_fp16, force_fp32, wrap_fp16_model


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    @auto_fp16(apply_to=('x',))
    def low(self, x):
        return [self.fc(x)]

    @auto_fp16(out_fp32=True)
    def wide(self, x):
        return {'out': (self.fc(x), 'text')}

    @force_fp32(apply_to=('x',))
    def forced(self, x, other=None):
        return self.fc(x), None if other is None else other.dtype

    @force_fp32()
    def all_forced(self, pair):
        return [item.dtype for item in pair]

    @force_fp32(out_fp16=True)
    def returned(self, x):
        return self.fc(x)

    def forward(self, x):
        return self.fc(x)


@pytest.fixture
def layer():
    return Layer()


@pytest.fixture
def low():
    return torch.randn(4, 3, dtype=torch.bfloat16)


@pytest.fixture
def autocast():
    with torch.autocast('cpu', torch.bfloat16):
        yield


def test_auto_fp16_leaves_the_types_to_autocast(layer, autocast):
    x = torch.randn(4, 3)
    assert layer.low(x)[0].dtype is torch.bfloat16
    out, text = layer.wide(x)['out']
    assert out.dtype is torch.float32
    assert text == 'text'


def test_force_fp32_computes_in_float32(layer, low, autocast):
    out, other = layer.forced(low, other=low)
    assert out.dtype is torch.float32
    assert other is torch.bfloat16  # not in apply_to
    torch.testing.assert_close(out, nn.functional.linear(low.float(), layer.fc.weight,
                                                         layer.fc.bias).float(), atol=1e-2,
                               rtol=1e-2)
    assert layer.all_forced([low, low]) == [torch.float32] * 2


def test_results_return_to_low_precision_on_demand(layer, low, autocast):
    assert layer.returned(low).dtype is torch.bfloat16


def test_without_autocast_nothing_changes(layer):
    x = torch.randn(4, 3)
    assert torch.equal(layer.forced(x)[0], layer.fc(x))
    assert torch.equal(layer.returned(x), layer.fc(x))
    assert torch.equal(layer.low(x)[0], layer.fc(x))


class Flagged(nn.Module):
    """In the style of mmcv's modules, with a flag of their own."""

    fp16_enabled = True

    @auto_fp16(apply_to=('x', 'y'))
    def low(self, x, y=None, z=None):
        return x, y, z

    @auto_fp16(out_fp32=True)
    def wide(self, x):
        return x

    @auto_fp16()
    def product(self, x, y):
        return x @ y

    @force_fp32(apply_to=('x', 'y'))
    def forced(self, x, y=None, z=None):
        return x, y, z

    @force_fp32(out_fp16=True)
    def returned(self, x):
        return x


def types(values):
    return [value.dtype for value in values]


def test_a_flag_converts_the_arguments():
    x, half = torch.ones(1), torch.ones(1, dtype=torch.half)
    module = Flagged()
    assert types(module.low(x, y=x, z=x)) == [torch.half, torch.half, torch.float32]
    assert module.wide(x).dtype is torch.float32
    assert types(module.forced(half, y=half, z=half)) == [torch.float32] * 2 + [torch.half]
    assert module.returned(x).dtype is torch.half
    assert module.product(torch.ones(1, 1), torch.ones(1, 1)).dtype is torch.half


def test_without_the_flag_nothing_is_converted():
    x, half = torch.ones(1), torch.ones(1, dtype=torch.half)
    module = Flagged()
    module.fp16_enabled = False
    assert types(module.low(x, y=x, z=x)) == [torch.float32] * 3
    assert module.wide(half).dtype is torch.half
    assert types(module.forced(half, y=half, z=half)) == [torch.half] * 3
    assert module.returned(x).dtype is torch.float32


def test_the_autocast_around_chooses_the_low_precision(autocast):
    assert types(Flagged().low(torch.ones(1), y=torch.ones(1), z=torch.ones(1))) == [
        torch.bfloat16, torch.bfloat16, torch.float32]
    assert Flagged().returned(torch.ones(1)).dtype is torch.bfloat16


def test_methods_of_other_classes_are_errors():
    class Other:
        @auto_fp16()
        def low(self, x):
            return x

        @force_fp32()
        def forced(self, x):
            return x

        @auto_fp16(supported_types=(object,))
        def supported(self, x):
            return x

    with pytest.raises(TypeError, match='@auto_fp16 is for methods of Module, .* of Other'):
        Other().low(1)
    with pytest.raises(TypeError, match='@force_fp32 is for methods of Module'):
        Other().forced(1)
    assert Other().supported(1) == 1


def test_a_wrapped_model_sets_the_flags_of_its_modules():
    module = Flagged()
    module.fp16_enabled = False
    model = nn.Sequential(module, nn.Linear(1, 1))
    wrap_fp16_model(model)
    assert module.fp16_enabled
    assert not hasattr(model[1], 'fp16_enabled')


def test_float64_stays(layer):
    layer.double()
    assert layer.forced(torch.randn(4, 3, dtype=torch.float64))[0].dtype is torch.float64


def test_a_wrapped_model_runs_in_low_precision(layer):
    wrap_fp16_model(layer)
    assert layer(torch.randn(4, 3)).dtype is torch.bfloat16
