"""Products of matrices by oneDNN against those of torch.bmm."""
import pytest
import torch

from mmcv_replace.cnn.utils import host_products
from mmcv_replace.cnn.utils.host_products import affine, by_onednn, products


@pytest.fixture(params=[True, False], ids=['oneDNN', 'bmm'])
def onednn(request, monkeypatch):
    if request.param and not (torch.backends.mkldnn.is_available()
                              and hasattr(torch.ops.mkldnn, '_linear_pointwise')):
        pytest.skip('torch was built without oneDNN')
    monkeypatch.setattr(host_products, '_LEAST_WORK', 0)
    monkeypatch.setattr(host_products, 'has_products', lambda: request.param)
    return request.param


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('turned', [(False, False), (True, False), (False, True), (True, True)])
def test_products_and_their_sums(onednn, dtype, turned):
    x, y = (torch.randn(3, size, 7, dtype=dtype) for size in (4, 5))
    expected = torch.einsum('bmk,bnk->bmn', x.double(), y.double())
    x, y = (each.transpose(1, 2).contiguous().transpose(1, 2) if turn else each
            for each, turn in zip((x, y), turned, strict=True))
    assert by_onednn(x, y) is (onednn and dtype == torch.float32)
    found = products(x, y)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    assert products(x, y, out=found) is found
    torch.testing.assert_close(found.double(), 2 * expected, rtol=1e-5, atol=1e-5)
    # Parts of larger tensors, as strips of rows are.
    torch.testing.assert_close(products(x[:, 1:3], y[:, :, :7]).double(), expected[:, 1:3],
                               rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(('y', 'copied'), [
    (torch.randn(3, 5, 7), False), (torch.randn(3, 7, 5).transpose(1, 2), False),
    (torch.randn(3, 6, 9)[:, :5, :7], True), (torch.randn(3, 7, 9)[..., :5].transpose(1, 2), True)])
def test_onednn_gets_matrices_without_gaps(y, copied, monkeypatch):
    """Of its second argument alone: with gaps there it takes a thousand times as long."""
    seen = []
    monkeypatch.setattr(host_products, 'by_onednn', lambda x, y: True)
    monkeypatch.setattr(host_products, '_onednn', lambda x, y, bias: seen.append(y) or (
        x @ y.T + (0 if bias is None else bias)))
    x = torch.randn(3, 4, 7)
    torch.testing.assert_close(products(x, y), x @ y.transpose(1, 2))
    assert len(seen) == 3
    bias = torch.randn(y.shape[1])
    torch.testing.assert_close(affine(x[0], y[0], bias), x[0] @ y[0].T + bias)
    assert all(each.is_contiguous() or each.T.is_contiguous() for each in seen)
    assert (seen[0].data_ptr() != y.data_ptr()) is copied


@pytest.mark.parametrize('bias', [None, torch.randn(64, dtype=torch.float64)], ids=['', 'bias'])
@pytest.mark.parametrize('rows', [4, 4096])
def test_affine_maps_by_either_library(rows, bias):
    x, y = torch.randn(rows, 300, dtype=torch.float64), torch.randn(64, 300, dtype=torch.float64)
    expected = x @ y.T + (0 if bias is None else bias)
    for dtype, limit in ((torch.float64, 1e-12), (torch.float32, 1e-3)):
        found = affine(*(None if each is None else each.to(dtype) for each in (x, y, bias)))
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=limit)


@pytest.mark.filterwarnings('ignore:TF32')  # torch's own, of the flags
def test_small_products_and_those_without_onednn_are_left_to_torch(monkeypatch):
    monkeypatch.setattr(host_products, 'has_products', lambda: True)
    threads = torch.get_num_threads()
    large, small = torch.randn(1, 256, 256), torch.randn(1, 32 * threads - 1, 256)
    assert by_onednn(large, torch.randn(1, 32 * threads, 256))
    assert not by_onednn(large, small)
    with torch.backends.mkldnn.flags(enabled=False):
        assert not by_onednn(large, torch.randn(1, 32 * threads, 256))
