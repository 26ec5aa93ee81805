"""What holds for every operator of mmcv_replace.ops and mmseg.ops that has a file in cases."""
import io
import sys
import warnings

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from mmcv_replace.utils.trace import trust_sizes

from . import op_cases as table


@pytest.fixture(params=table.load(), ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture
def empty_caches():
    """Nothing that the operators keep from an earlier call."""
    for name, module in list(sys.modules.items()):
        if name.startswith(('mmcv_replace.ops', 'mmseg.ops')):
            for value in vars(module).values():
                getattr(value, 'cache_clear', lambda: None)()


@pytest.fixture
def deterministic():
    former = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(former)


@pytest.fixture
def threads():
    """Set the number of threads of torch."""
    former = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(former)


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


@pytest.mark.usefixtures('either_form')
@pytest.mark.parametrize('low', ['none', 'first'])
@pytest.mark.parametrize('dtype', table.LOW, ids=str)
def test_autocast(case, dtype, low):
    """In mixed precision: from float32, and from features that another layer has rounded."""
    expected = table.outcome(case, case.run, table.place(case, dtype=torch.float32))
    inputs = table.place(case, dtype=torch.float32)
    if low == 'first' and 0 not in case.fixed_type and inputs[0].is_floating_point():
        inputs[0] = inputs[0].detach().to(dtype).requires_grad_(inputs[0].requires_grad)
    with torch.autocast('cpu', dtype):
        results = table.tensors(case.run(*inputs))
    found = [y.detach() for y in results] + table.gradients(inputs, results)
    wanted = [x for x in inputs if isinstance(x, torch.Tensor) and x.requires_grad]
    assert [y.dtype for y in found[len(results):]] == [x.dtype for x in wanted]
    table.close(found, expected, case.low_precision * table.LOW[dtype])


@pytest.mark.usefixtures('either_form')
def test_each_input_alone_needs_a_gradient(case):
    expected = table.place(case)
    wanted = [i for i, x in enumerate(expected)
              if isinstance(x, torch.Tensor) and x.requires_grad]
    if not wanted:
        pytest.skip('has no gradient')
    results = table.tensors(case.run(*expected))
    slopes = table.gradients(expected, results)
    for i, slope in zip(wanted, slopes, strict=True):
        inputs = table.place(case, gradients=False)
        inputs[i].requires_grad_()
        found = table.tensors(case.run(*inputs))
        table.close([y.detach() for y in found], [y.detach() for y in results], 1e-12)
        table.close(table.gradients(inputs, found), [slope], 1e-12)


@pytest.mark.usefixtures('either_form')
def test_graphs_are_kept_and_computed_again(case):
    """A second backward pass, and one through torch's checkpoint, give the same gradients."""
    inputs = table.place(case)
    expected = table.outcome(case, case.run, inputs)
    results = table.tensors(case.run(*inputs))
    slopes = expected[len(results):]
    if not slopes:
        pytest.skip('has no gradient')
    for keep in (True, False):
        table.close(table.gradients(inputs, results, keep=keep), slopes, 1e-12)

    def again(*args):
        return checkpoint(case.run, *args, use_reentrant=False)

    table.close(table.outcome(case, again, inputs), expected, 1e-12)


@pytest.mark.usefixtures('either_form', 'empty_caches')
def test_inference_mode(case):
    """Training after it is not disturbed by tensors that were made there and kept."""
    with torch.inference_mode():
        found = table.tensors(case.run(*table.place(case, gradients=False)))
    expected = table.outcome(case, case.run, table.place(case))
    table.close([y.clone() for y in found], expected[:len(found)], 1e-12)


@pytest.mark.usefixtures('either_form', 'deterministic')
def test_deterministic_algorithms(case):
    first, second = (table.outcome(case, case.run, table.place(case, dtype=torch.float32))
                     for _ in range(2))
    for own, other in zip(first, second, strict=True):
        assert torch.equal(own, other)


@pytest.mark.usefixtures('either_form')
def test_number_of_threads(case, threads):
    """Parts for several threads, where even inputs as small as these are divided."""
    found = []
    for number in (1, 3):
        threads(number)
        found.append(table.outcome(case, case.run, table.place(case)))
    table.close(*found, 1e-12)


class Calls(torch.nn.Module):
    """Calls of operators, whose tensors are given one after the other."""

    def __init__(self, *cases):
        super().__init__()
        self.cases = cases
        self.inputs = [case.inputs() for case in cases]

    def forward(self, *given):
        given, results = iter(given), []
        for case, inputs in zip(self.cases, self.inputs, strict=True):
            results += table.tensors(case.run(*[
                next(given) if isinstance(x, torch.Tensor) else x for x in inputs]))
        return tuple(results)


@pytest.mark.parametrize('file', table.files())
def test_compiles_in_one_graph(file):
    """With all cases of a file, since the start of the compiler takes as long as they do."""
    cases = [case for case in table.files()[file] if not case.compiles]
    if not cases:
        pytest.skip(' and '.join({case.compiles for case in table.files()[file]}))
    torch.compiler.reset()
    calls, inputs = Calls(*cases), table.tensors([table.place(case) for case in cases])
    compiled = torch.compile(calls, backend='aot_eager', fullgraph=True)
    found, expected = (table.outcome(cases[0], run, inputs) for run in (compiled, calls))
    table.close(found, expected, 1e-9)


@pytest.mark.slow
def test_inductor(case):
    if case.compiles:
        pytest.skip(case.compiles)
    torch.compiler.reset()
    compiled = torch.compile(lambda *args: case.run(*args), fullgraph=True)
    inputs = table.place(case, dtype=torch.float32)
    table.close(table.outcome(case, compiled, inputs), table.outcome(case, case.run, inputs), 1e-5)


def other(inputs):
    """The same tensors with their values in another order."""
    return [x.detach().flip(0).requires_grad_(x.requires_grad) if x.is_floating_point() else x
            for x in inputs]


@pytest.mark.filterwarnings('ignore:`torch.jit:DeprecationWarning')  # torch's own
def test_traced_graph_is_stored(case):
    """It holds for other values than those it was made of, and has gradients."""
    if case.export:
        pytest.skip(case.export)
    calls, given = Calls(case).eval(), table.tensors(table.place(case))
    with warnings.catch_warnings():
        warnings.simplefilter('error', torch.jit.TracerWarning)
        for package in ('mmcv_replace.ops', 'mmseg.ops'):
            trust_sizes(package)  # again: pytest has its own filters
        traced = torch.jit.trace(calls, given, check_trace=False)
    file = io.BytesIO()
    torch.jit.save(traced, file)
    file.seek(0)
    found, expected = (table.outcome(case, run, other(given))
                       for run in (torch.jit.load(file), calls))
    table.close(found, expected, 1e-9)


# The exporters of torch.export and of torch.jit.trace; runtimes of devices read older opsets.
EXPORTERS = {'export': dict(dynamo=True), 'trace': dict(dynamo=False, opset_version=17)}


@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning', 'ignore::DeprecationWarning')
@pytest.mark.parametrize('exporter', EXPORTERS)
@pytest.mark.parametrize('file', table.files())
def test_onnx(file, exporter, tmp_path):
    """The graph has standard operators alone, and holds for other values than those it was made of.

    One graph has all cases of a file: an export takes seconds, however small the graph is.
    """
    onnx, runtime = pytest.importorskip('onnx'), pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    cases = table.files()[file]
    reasons = {case.name: case.export or exporter == 'trace' and case.trace for case in cases}
    cases = [case for case in cases if not reasons[case.name]]
    if not cases:
        pytest.skip(' and '.join(set(reasons.values())))
    calls = Calls(*cases).eval()
    given = [x for case in cases for x in table.tensors(
        table.place(case, dtype=torch.float32, gradients=False))]
    path = tmp_path / 'op.onnx'
    torch.onnx.export(calls, tuple(given), path, verbose=False, **EXPORTERS[exporter])
    assert {node.domain for node in onnx.load(path).graph.node} == {''}
    session = runtime.InferenceSession(path, providers=['CPUExecutionProvider'])
    names = [x.name for x in session.get_inputs()]
    for changed in (given, other(given)):
        fed = {name: x.numpy() for name, x in zip(names, changed, strict=True)}
        found = [torch.from_numpy(y) for y in session.run(None, fed)]
        table.close(found, calls(*changed), 1e-5)
