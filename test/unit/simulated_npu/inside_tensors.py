"""Tensors on the simulated NPU against the same on the CPU."""
import copy
import io

import pytest
import torch
import torch.nn.functional as F

NPU = torch.device('npu', 0)
X = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).view(2, 3, 4, 5).sin()


def same(device_tensor, expected, tolerance=0.0):
    assert device_tensor.device.type == 'npu'
    torch.testing.assert_close(device_tensor.cpu(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize('view', [
    lambda x: x.permute(0, 2, 3, 1),
    lambda x: x[:, 1, ::2],
    lambda x: x[:1, 2:].expand(4, 3, 4, 5),
    lambda x: x.flatten(1).t(),
    lambda x: x[:, 0].unfold(1, 2, 1),
    lambda x: x.to(memory_format=torch.channels_last),
    lambda x: x.view(torch.int32),
    lambda x: x[0, 0, 0, :0],
])
def test_views_and_copies_of_them(view):
    on_device, expected = view(X.to(NPU)), view(X)
    assert on_device.stride() == expected.stride()
    same(on_device, expected)
    same(on_device.clone(), expected)
    same(on_device + 1, expected + 1)
    same(on_device.contiguous(), expected.contiguous())


@pytest.mark.parametrize('source', ['cpu', 'npu:0', 'npu:1'])
def test_copies_into_a_view(source):
    target = torch.zeros(2, 4, 5, 3, device=NPU)
    target.permute(0, 3, 1, 2).copy_(X.to(source))
    same(target, X.permute(0, 2, 3, 1).contiguous())


def test_a_copy_to_the_host_into_a_view():
    target = torch.zeros(2, 4, 5, 3)
    target.permute(0, 3, 1, 2).copy_(X.to(NPU))
    assert torch.equal(target, X.permute(0, 2, 3, 1))


def test_a_copy_converts():
    target = torch.zeros(X.shape, dtype=torch.int64)
    target.copy_((X * 10).to(NPU))
    assert torch.equal(target, (X * 10).long())
    same(X.to(NPU).half(), X.half())
    same(X.to(NPU, torch.float16), X.half())


def test_writing_through_a_view_writes_the_tensor():
    x = X.to(NPU)
    x[:, 1].mul_(2)
    x[0, 0] = 7
    x.view(-1)[-1].zero_()
    expected = X.clone()
    expected[:, 1] *= 2
    expected[0, 0] = 7
    expected[-1, -1, -1, -1] = 0
    same(x, expected)


def test_another_device():
    moved = X.to(NPU).to('npu:3')
    assert moved.device.index == (moved * 2).device.index == 3
    with torch.npu.device(2):
        assert torch.empty(1, device='npu').device.index == 2
    assert torch.empty(1, device='npu').device.index == 0


def test_results_that_are_given():
    out = torch.empty(0, device=NPU)
    assert torch.mul(X.to(NPU), 3, out=out) is out
    same(out, X * 3)
    out = torch.empty(0, device=NPU)
    torch.sort(X.to(NPU).flatten(), out=(out, torch.empty(0, dtype=torch.long, device=NPU)))
    same(out, X.flatten().sort()[0])


def test_resize_and_set():
    x = torch.arange(6.).to(NPU)
    same(x.resize_(2, 2), torch.arange(4.).view(2, 2))
    x.resize_(30)
    same(x[:6], torch.arange(6.))
    same(torch.empty(0, device=NPU).set_(x[2:4]), torch.tensor([2., 3.]))
    assert torch.empty(3, device=NPU).set_().numel() == 0


def test_lists_of_tensors():
    for ours, expected in zip(torch._foreach_add([X.to(NPU), X[0].to(NPU)], 1), [X + 1, X[0] + 1],
                              strict=True):
        same(ours, expected)
    values = [X.to(NPU), X[0].to(NPU)]
    torch._foreach_mul_(values, 3)
    same(values[1], X[0] * 3)
    for ours, expected in zip(X.to(NPU).split(1), X.split(1), strict=True):
        same(ours, expected)


def test_what_an_operator_changes_unannounced():
    """Batch norm's schema does not say that it changes the running averages."""
    mean, var = torch.zeros(3, device=NPU), torch.ones(3, device=NPU)
    F.batch_norm(X.to(NPU), mean, var, training=True, momentum=0.5)
    same(mean, X.mean((0, 2, 3)) * 0.5, tolerance=1e-7)


def test_saved_and_loaded():
    file = io.BytesIO()
    x = X.to(NPU)
    torch.save({'x': x, 'part': x[:, :1]}, file)
    for place in (None, 'cpu', 'npu:1'):
        file.seek(0)
        loaded = torch.load(file, map_location=place, weights_only=True)
        assert loaded['x'].device == torch.device(place or NPU)
        assert torch.equal(loaded['x'].cpu(), X)
        assert torch.equal(loaded['part'].cpu(), X[:, :1])
        assert loaded['part'].untyped_storage().data_ptr() == loaded['x'].data_ptr()
    same(copy.deepcopy(x), X)


@pytest.mark.parametrize('make', [
    lambda: torch.zeros(3, dtype=torch.float64, device=NPU),
    lambda: torch.zeros(3, dtype=torch.float64).to(NPU),
    lambda: torch.zeros(3, dtype=torch.float32).to(NPU, torch.float64),
    lambda: X.to(NPU).sum(dtype=torch.float64),
    lambda: torch.tensor([0.5], dtype=torch.float64).npu(),
])
def test_float64_is_refused(make):
    with pytest.raises(RuntimeError, match='Device do not support double dtype'):
        make()


def test_a_cast_to_float64_is_float32():
    assert X.to(NPU).double().dtype == torch.float32
    assert X.to(NPU).to('cpu', torch.float64).dtype == torch.float64


def test_tensors_print():
    assert 'npu:0' in repr(torch.tensor([0.25, 2.5], device=NPU))
    assert repr(torch.tensor([0.25], device=NPU)).startswith('tensor([0.2500]')


def test_numpy_needs_the_host():
    with pytest.raises(TypeError, match="can't convert npu:0"):
        X.to(NPU).numpy()


def test_an_operator_that_no_kernel_is_for():
    with pytest.raises(RuntimeError, match='batch_norm_stats'):
        torch.batch_norm_stats(X.to(NPU), 1e-5)


def test_numbers_drawn_on_a_device_follow_its_seed_only():
    torch.npu.manual_seed(5)
    torch.manual_seed(1)
    torch.npu.manual_seed(5)
    first = torch.randn(4, device=NPU).cpu()
    host = torch.randn(4)
    torch.manual_seed(1)
    assert torch.equal(torch.randn(4), host)
    torch.npu.manual_seed(5)
    assert torch.equal(torch.randn(4, device=NPU).cpu(), first)
    generator = torch.Generator('npu').manual_seed(5)
    assert torch.equal(torch.randn(4, device=NPU, generator=generator).cpu(), first)
    assert not torch.equal(torch.randn(4, device=NPU, generator=generator).cpu(), first)
    state = torch.npu.get_rng_state()
    dropped = F.dropout2d(torch.ones(1, 64, 1, 1, device=NPU))
    torch.npu.set_rng_state(state)
    same(F.dropout2d(torch.ones(1, 64, 1, 1, device=NPU)), dropped.cpu())
    assert 0 < (dropped.cpu() == 0).sum() < 64
