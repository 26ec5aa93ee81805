"""Every operator on the simulated NPU: no surprises for the device, and the numbers of the host."""
from contextlib import contextmanager, nullcontext
from functools import cache

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch_npu import simulation

from mmcv_replace import ops
from mmcv_replace.ops.kernels import plain_operators
from mmseg.ops import Encoding

from ..mmcv_replace.ops import op_cases as table

FLOATING = (torch.float32, torch.float16, torch.bfloat16)
WHOLE = (torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool)
# Types of the first tensor of an operator, or of all where it is '*', for which the device has a
# slow processor alone, its AI CPU, or nothing, in the public sources and documents of CANN.
SLOW = {
    '*': ((torch.float64, torch.complex64, torch.complex128, torch.int16), 'no vector unit'),
    'mul': ((torch.int64,), 'AI CPU on the 910A'),
    'sort': (WHOLE, 'aclnnSort sorts floating-point numbers alone on AI cores'),
    'topk': (WHOLE, 'as aclnnSort'),
    'cumsum': ((torch.int64,), 'aclnnCumsum: AI CPU'),
    'cummax': (FLOATING + WHOLE, 'aclnnCummax: AI CPU for all types'),
    'cummin': (FLOATING + WHOLE, 'as aclnnCummax'),
    'index_add': ((torch.int64,), 'aclnnIndexAdd: AI CPU'),
    'scatter_add': ((torch.int64,), 'aclnnScatterAdd: AI CPU'),
    'floor_divide': ((torch.int64,), 'aclnnFloorDivide: AI CPU'),
    'remainder': ((torch.int64,), 'aclnnRemainder: AI CPU'),
    'nonzero': (FLOATING + WHOLE, 'a shape that depends on values'),
    '_unique2': (FLOATING + WHOLE, 'a shape that depends on values'),
    'masked_select': (FLOATING + WHOLE, 'a shape that depends on values'),
}
PLAIN_ALONE = {'cummax'}  # which a kernel replaces


class Types(TorchDispatchMode):
    """Notes for which types of tensors on the device each operator runs."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = [x.dtype for x in tree_leaves((args, kwargs, result))
                 if isinstance(x, torch.Tensor) and x.device.type == 'npu']
        if given:
            name = func.overloadpacket.__name__.removesuffix('_')
            self.seen |= {(name, given[0]), *(('*', dtype) for dtype in given)}
        return result

    def slow(self):
        return {(name, dtype, SLOW[name][1]) for name, dtype in self.seen
                if name in SLOW and dtype in SLOW[name][0]}


@contextmanager
def audit(waits, excepted=()):
    """Nothing inside may surprise the device; the host waits for it `waits` times."""
    types = Types()
    with simulation.counting() as counted, types:
        yield
    assert sum(counted['host_sync'].values()) == waits, counted['host_sync']
    for kind in ('blocking_upload', 'boolean_index', 'float64_cast'):
        assert not counted[kind], kind
    assert not {entry for entry in types.slow() if entry[0] not in excepted}


@pytest.fixture(params=['kernels', 'plain'])
def form(request):
    """The device's kernels, or the plain form of all operators."""
    with plain_operators() if request.param == 'plain' else nullcontext():
        yield request.param


CASES = {case.name: case for case in table.load()}


@cache
def on_host(name):
    case = CASES[name]
    return table.outcome(case, case.run, table.place(case, dtype=torch.float32))


@pytest.mark.parametrize('dtype', FLOATING, ids=str)
@pytest.mark.parametrize('name', CASES)
def test_forward_and_backward(form, name, dtype):
    case, excepted = CASES[name], PLAIN_ALONE if form == 'plain' else ()
    inputs = table.place(case, 'npu', dtype)
    with audit(case.waits, excepted):
        results = table.tensors(case.run(*inputs))
    grads = table.gradients(inputs, results, audit(0, excepted))
    assert all(y.device.type == 'npu' for y in [*results, *grads])
    tolerance = case.low_precision * table.LOW[dtype] if dtype in table.LOW else 2e-5
    table.close([y.detach() for y in [*results, *grads]], on_host(name), tolerance)


@pytest.mark.parametrize('dtype', table.LOW, ids=str)
@pytest.mark.parametrize('name', CASES)
def test_autocast(name, dtype):
    """From features that another layer has rounded, and the rest in float32."""
    case = CASES[name]
    inputs = table.place(case, 'npu', torch.float32)
    if 0 not in case.fixed_type and inputs[0].is_floating_point():
        inputs[0] = inputs[0].detach().to(dtype).requires_grad_(inputs[0].requires_grad)
    with torch.autocast('npu', dtype):
        results = table.tensors(case.run(*inputs))
    found = [y.detach() for y in results] + table.gradients(inputs, results)
    wanted = [x for x in inputs if isinstance(x, torch.Tensor) and x.requires_grad]
    assert [y.dtype for y in found[len(results):]] == [x.dtype for x in wanted]
    table.close(found, on_host(name), case.low_precision * table.LOW[dtype])


@pytest.fixture(scope='module')
def maps():
    return table.uniform(2, 16, 6, 8).float()


SHAPES = torch.tensor([[6, 4], [3, 2]])
# Layers, and what they are called with behind maps [2, 16, 6, 8].
LAYERS = {
    'CARAFEPack': (lambda: ops.CARAFEPack(16, 2), ()),
    'CrissCrossAttention': (lambda: ops.CrissCrossAttention(16), ()),
    'DeformConv2dPack': (lambda: ops.DeformConv2dPack(16, 4, 3, padding=1), ()),
    'Encoding': (lambda: Encoding(16, 4), ()),
    'MaskedConv2d': (lambda: ops.MaskedConv2d(16, 4, 3, padding=1),
                     (table.uniform(2, 6, 8).round().float(),)),
    'ModulatedDeformConv2dPack': (
        lambda: ops.ModulatedDeformConv2dPack(16, 4, 3, padding=1, deform_groups=2), ()),
    'RoIAlign': (lambda: ops.RoIAlign(3, 0.5, 2), (torch.tensor([[1., 1, 2, 9, 11]]),)),
    'SAConv2d': (lambda: ops.SAConv2d(16, 4, 3, padding=1, bias=False, use_deform=True), ()),
    'SimpleRoIAlign': (lambda: ops.SimpleRoIAlign(3, 0.5), (torch.tensor([[1., 1, 2, 9, 11]]),)),
}


class Attention(torch.nn.Module):
    """MultiScaleDeformableAttention of two maps to themselves; maps [2, 16, 6, 8] hold 30 pixels.
    """

    def __init__(self):
        super().__init__()
        self.layer = ops.MultiScaleDeformableAttention(16, 2, 2, 2, dropout=0., batch_first=True)

    def forward(self, x, points, shapes, starts):
        return self.layer(x.flatten(2).mT[:, :30], reference_points=points, spatial_shapes=shapes,
                          level_start_index=starts)


LAYERS['MultiScaleDeformableAttention'] = (Attention, (
    table.uniform(2, 30, 2, 2).float() / 2 + 0.5, SHAPES, torch.tensor([0, 24])))


@pytest.mark.parametrize('dtype', [None, *table.LOW], ids=str)
@pytest.mark.parametrize('name', LAYERS)
def test_layers_let_nobody_wait(form, maps, name, dtype):
    """With and without autocast, whose gradients are as the parameters are."""
    build, more = LAYERS[name]
    torch.manual_seed(0)
    layer = build()
    for p in layer.parameters():
        torch.nn.init.uniform_(p, -0.3, 0.3)
    expected = layer(maps, *(x.float() if x.is_floating_point() else x for x in more))
    layer, x, more = layer.to('npu'), maps.to('npu').requires_grad_(), [y.to('npu') for y in more]
    with audit(0), torch.autocast('npu', dtype, enabled=dtype is not None):
        out = layer(x, *more)
    with audit(0):
        grads = torch.autograd.grad(out.float().square().mean(), [x, *layer.parameters()],
                                    allow_unused=True)
    assert all(g is None or g.dtype == torch.float32 and g.isfinite().all().item() for g in grads)
    table.close([out.detach()], [expected.detach()], 12 * table.LOW[dtype] if dtype else 1e-4)


def test_a_slow_type_is_noticed():
    numbers = torch.arange(4, device='npu')
    for call in (lambda: numbers.sort(), lambda: numbers.cumsum(0), lambda: numbers * 2,
                 lambda: torch.ones(3, dtype=torch.int16, device='npu'),
                 lambda: torch.ones(3, device='npu').cummax(0)):
        types = Types()
        with types:
            call()
        assert types.slow()
