"""What holds for every operator of mmcv_replace.ops and mmseg.ops that has a file in cases."""
import pytest
import torch

from mmcv_replace.ops import kernels

from . import op_cases as table


@pytest.fixture(params=table.load(), ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture(params=[True, False], ids=['kernels', 'plain'])
def either_form(request):
    """The device's kernels, and the plain form, which other devices take."""
    if request.param:
        yield
    else:
        with kernels.plain_operators():
            yield


@pytest.mark.usefixtures('either_form')
def test_values_and_gradients_against_the_slow_form(case):
    inputs = table.place(case)
    found, expected = (table.outcome(case, run, inputs) for run in (case.run, case.plain))
    table.close(found, expected, 1e-9)


@pytest.mark.usefixtures('either_form')
def test_gradcheck(case):
    inputs = table.place(case)
    if not any(isinstance(x, torch.Tensor) and x.requires_grad for x in inputs):
        pytest.skip('has no gradient')
    assert torch.autograd.gradcheck(case.run, inputs, atol=1e-6, fast_mode=True)


@pytest.mark.usefixtures('either_form')
def test_single_precision(case):
    expected = table.outcome(case, case.run, table.place(case))
    found = table.outcome(case, case.run, table.place(case, dtype=torch.float32))
    for own, other in zip(found, expected, strict=True):
        assert own.dtype == (torch.float32 if other.is_floating_point() else other.dtype)
    table.close(found, expected, 2e-5)


@pytest.mark.usefixtures('either_form')
@pytest.mark.parametrize('dtype', table.LOW, ids=str)
def test_low_precision(case, dtype):
    found = table.outcome(case, case.run, table.place(case, dtype=dtype))
    expected = table.outcome(case, case.run, table.place(case))
    count = len(table.tensors(case.run(*table.place(case, gradients=False))))
    for own, other in zip(found[:count], expected[:count], strict=True):
        assert own.dtype == (dtype if other.is_floating_point() else other.dtype)
    table.close(found, expected, case.low_precision * table.LOW[dtype])


def test_non_contiguous_inputs(case):
    """Views with other strides give the same."""
    expected = table.outcome(case, case.run, table.place(case))
    strided = table.place(case)
    for i, value in enumerate(strided):
        if isinstance(value, torch.Tensor) and value.dim() > 1:
            view = torch.empty(*value.shape[:-1], 2 * value.shape[-1], dtype=value.dtype)[..., ::2]
            strided[i] = view.copy_(value.detach()).detach().requires_grad_(value.requires_grad)
    table.close(table.outcome(case, case.run, strided), expected, 1e-12)


def test_compiles_in_one_graph(case):
    if case.compiles:
        pytest.skip(case.compiles)
    torch.compiler.reset()
    compiled = torch.compile(lambda *args: case.run(*args), backend='aot_eager', fullgraph=True)
    inputs = table.place(case)
    table.close(table.outcome(case, compiled, inputs), table.outcome(case, case.run, inputs), 1e-9)


@pytest.mark.slow
def test_inductor(case):
    if case.compiles:
        pytest.skip(case.compiles)
    torch.compiler.reset()
    compiled = torch.compile(lambda *args: case.run(*args), fullgraph=True)
    inputs = table.place(case, dtype=torch.float32)
    table.close(table.outcome(case, compiled, inputs), table.outcome(case, case.run, inputs), 1e-5)


class OneCall(torch.nn.Module):
    def __init__(self, case, inputs):
        super().__init__()
        self.case, self.inputs = case, inputs

    def forward(self, *given):
        given = iter(given)
        return self.case.run(*[next(given) if isinstance(x, torch.Tensor) else x
                               for x in self.inputs])


def test_onnx(case, tmp_path):
    pytest.importorskip('onnxscript')
    runtime = pytest.importorskip('onnxruntime')
    if case.export:
        pytest.skip(case.export)
    inputs = table.place(case, dtype=torch.float32, gradients=False)
    given = tuple(x for x in inputs if isinstance(x, torch.Tensor))
    path = tmp_path / 'op.onnx'
    torch.onnx.export(OneCall(case, inputs), given, path, dynamo=True, verbose=False)
    session = runtime.InferenceSession(path, providers=['CPUExecutionProvider'])
    names = [x.name for x in session.get_inputs()]
    results = session.run(None, {
        name: x.numpy() for name, x in zip(names, given, strict=True)})
    table.close([torch.from_numpy(y) for y in results], table.tensors(case.run(*inputs)), 1e-5)
