"""Attention by parts and by fused kernels against the product with all weights."""
import pytest
import torch
from torch.autograd import gradcheck

from mmcv_replace.cnn.bricks import attend
from mmcv_replace.cnn.bricks.attend import softmax_attention
from mmcv_replace.cnn.utils import host_products

SHAPES = [(2, 7, 5, 3, 6), (1, 9, 4, 1, 2), (2, 6, 8, 4, 4), (3, 5, 6, 5, 2)]


@pytest.fixture(params=[1, 300, 10**9], ids='{} bytes'.format, autouse=True)
def limit(request, monkeypatch):
    """Sizes of the parts: one query, several, all."""
    monkeypatch.setattr(attend, '_HOST_BYTES', request.param)


@pytest.fixture
def onednn(monkeypatch):
    """Its products however small the matrices are, in float32."""
    if not (torch.backends.mkldnn.is_available()
            and hasattr(torch.ops.mkldnn, '_linear_pointwise')):
        pytest.skip('torch was built without oneDNN')
    monkeypatch.setattr(host_products, '_LEAST_WORK', 0)
    monkeypatch.setattr(host_products, 'has_products', lambda: True)


def sample(shape, dtype=torch.float64):
    images, queries, keys, channels, outputs = shape
    torch.manual_seed(0)
    # Pixels of maps lie apart in memory.
    return [torch.randn(images, width, length, dtype=torch.float64).to(dtype).transpose(1, 2)
            for width, length in ((channels, queries), (channels, keys), (outputs, keys))]


def plain(query, key, value, scale):
    return (scale * query @ key.transpose(1, 2)).softmax(-1) @ value


def gradients(attention, inputs, scale):
    leaves = [x.detach().requires_grad_() for x in inputs]
    out = attention(*leaves, scale)
    return out.detach(), *torch.autograd.grad(out.double().square().sum(), leaves)


@pytest.mark.parametrize('shape', SHAPES)
def test_values_and_gradients(shape):
    found = gradients(softmax_attention, sample(shape), 0.7)
    torch.testing.assert_close(found, gradients(plain, sample(shape), 0.7))
    assert gradcheck(lambda *x: softmax_attention(*x, 0.7),
                     [x.clone().requires_grad_() for x in sample(shape)])


@pytest.mark.usefixtures('onednn')
@pytest.mark.parametrize('shape', [*SHAPES, (2, 7, 9, 5, 5), (2, 5, 11, 8, 2)])
@pytest.mark.parametrize('contiguous', [True, False])
def test_values_and_gradients_by_onednn(shape, contiguous):
    inputs = [x.float().contiguous() if contiguous else x.float() for x in sample(shape)]
    leaf = inputs[0].clone().requires_grad_()
    assert 'Attention' in type(softmax_attention(leaf, *inputs[1:], 0.7).grad_fn).__name__
    exact = gradients(plain, [x.double() for x in inputs], 0.7)
    for own, other in zip(gradients(softmax_attention, inputs, 0.7), exact, strict=True):
        torch.testing.assert_close(own.double(), other, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures('onednn')
def test_large_energies():
    inputs = [(100 * x).float().requires_grad_() for x in sample((2, 7, 9, 5, 5))]
    out = softmax_attention(*inputs, 1.0)
    assert out.isfinite().all()
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(out.sum(), inputs))


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('autocast', [True, False])
def test_low_precision(shape, autocast):
    low = sample(shape, torch.bfloat16)
    inputs = [x.float() for x in low] if autocast else low
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        found = gradients(softmax_attention, inputs, 0.7)
    assert found[0].dtype == torch.bfloat16
    assert all(each.dtype == x.dtype for each, x in zip(found[1:], inputs, strict=True))
    expected = gradients(plain, [x.double() for x in low], 0.7)
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own.double(), other, rtol=0.02, atol=0.03 * other.abs().max())


def test_large_products_are_precise_in_low_precision():
    """Their differences would be lost in numbers of eight bits."""
    query, key, value = sample((1, 4, 6, 2, 3), torch.bfloat16)
    query, key = query + 16, key + 16
    expected = plain(query.double(), key.double(), value.double(), 1.0)
    torch.testing.assert_close(softmax_attention(query, key, value, 1.0).double(), expected,
                               rtol=0.01, atol=0.01)


def test_an_exported_program_has_no_parts():
    class Attend(torch.nn.Module):
        def forward(self, query, key, value):
            return softmax_attention(query, key, value, 0.7)

    inputs = tuple(sample(SHAPES[0]))
    with torch.no_grad():
        program = torch.export.export(Attend(), inputs)
    torch.testing.assert_close(program.module()(*inputs), plain(*inputs, 0.7))
    assert sum('attention' in str(node.target) for node in program.graph.nodes) == 1


def test_memory_is_that_of_a_part(monkeypatch):
    monkeypatch.setattr(attend, '_HOST_BYTES', 2**12)
    inputs = [x.requires_grad_() for x in sample((1, 300, 300, 2, 4))]
    sizes = []

    class Sizes(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **kwargs or {})
            sizes.extend(each.numel() for each in (out if isinstance(out, tuple | list) else [out])
                         if isinstance(each, torch.Tensor))
            return out

    with Sizes():
        softmax_attention(*inputs, 1.0).sum().backward()
    assert max(sizes) < 300 * 10
