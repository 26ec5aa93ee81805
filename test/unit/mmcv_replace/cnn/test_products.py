"""Products of matrices by oneDNN where torch has it, by torch's own elsewhere."""
import pytest
import torch

from mmcv_replace.cnn.utils import products


def used(monkeypatch):
    calls = []
    inner = torch.ops.mkldnn._linear_pointwise
    monkeypatch.setattr(torch.ops.mkldnn, '_linear_pointwise',
                        lambda *args: calls.append(args) or inner(*args), raising=False)
    return calls


@pytest.mark.parametrize(('dtype', 'enabled', 'fast'), [
    (torch.float32, True, True), (torch.float64, True, False), (torch.float32, False, False)])
@pytest.mark.parametrize('turned', [False, True])
def test_products_are_added(dtype, enabled, fast, turned, monkeypatch):
    if not torch.backends.mkldnn.is_available():
        pytest.skip('torch was built without oneDNN')
    calls = used(monkeypatch)
    generator = torch.Generator().manual_seed(0)
    a, b, out = (torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)
                 for shape in ((4, 6, 5), (4, 7, 5), (4, 6, 7)))
    expected = out.double() + torch.einsum('pmk,pnk->pmn', a.double(), b.double())
    if turned:  # the same values, stored by columns
        a, b = (each.transpose(1, 2).contiguous().transpose(1, 2) for each in (a, b))
    with torch.backends.mkldnn.flags(enabled=enabled):
        assert products.add_products(a, b, out) is out
    torch.testing.assert_close(out.double(), expected, rtol=1e-5, atol=1e-5)
    assert bool(calls) == fast
