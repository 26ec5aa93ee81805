"""The fused optimizers refuse what would silently leave weights untrained on the real device."""
import pytest
import torch
import torch_npu
from torch import nn


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).npu()


@pytest.fixture
def optimizer(net):
    return torch_npu.optim.NpuFusedSGD(net.parameters(), lr=0.1, momentum=0.9)


def backward(net):
    net(torch.ones(5, 3, device='npu')).square().mean().backward()


def test_set_to_none_is_refused(net, optimizer):
    backward(net)
    with pytest.raises(ValueError, match='set_to_none is not supported in fused optimizers'):
        optimizer.zero_grad(set_to_none=True)


def test_zero_grad_keeps_the_memory(net, optimizer):
    backward(net)
    optimizer.step()
    places = [p.grad.data_ptr() for p in net.parameters()]
    optimizer.zero_grad()
    assert [p.grad.data_ptr() for p in net.parameters()] == places
    assert all((p.grad == 0).all() for p in net.parameters())
    backward(net)
    assert any((p.grad != 0).any() for p in net.parameters())


def test_all_gradients_and_weights_are_one_piece_of_memory(net, optimizer):
    backward(net)
    optimizer.step()
    expected = [torch.cat([p.grad.flatten() for p in net.parameters()])]
    assert all(map(torch.equal, optimizer.grads_all_group_combined, expected))
    assert len({p.untyped_storage().data_ptr() for p in net.parameters()}) == 1


@pytest.mark.parametrize('spoil', [
    lambda net: setattr(net[0].weight, 'data', net[0].weight.data.cpu().npu()),
    lambda net: setattr(net[1].bias, 'data', net[1].bias.data.clone()),
    lambda net: net.zero_grad(),
])
def test_weights_that_move_after_the_first_step(net, optimizer, spoil):
    backward(net)
    optimizer.step()
    spoil(net)
    with pytest.raises(RuntimeError, match='re-allocated after the first step'):
        optimizer.step()


def test_weights_without_a_gradient_in_the_first_step(net, optimizer):
    net[0].requires_grad_(False)
    backward(net)
    optimizer.step()
    net[0].requires_grad_(True)
    backward(net)
    with pytest.raises(RuntimeError, match='had no gradient at the first step'):
        optimizer.step()


def test_a_state_that_is_loaded_too_late(net, optimizer):
    backward(net)
    optimizer.step()
    with pytest.raises(RuntimeError, match='loaded later is not used'):
        optimizer.load_state_dict(optimizer.state_dict())


def test_a_state_that_is_loaded_in_time(net, optimizer):
    backward(net)
    optimizer.step()
    other = torch_npu.optim.NpuFusedSGD(net.parameters(), lr=0.1, momentum=0.9)
    other.load_state_dict(optimizer.state_dict())
    before = other.state_dict()['state'][0]['momentum_buffer']
    assert before.abs().sum() > 0
    other.step()


@pytest.mark.parametrize(('dtype', 'device', 'error', 'message'), [
    (torch.bfloat16, 'npu', TypeError, 'must be either float32 or float16'),
    (torch.float32, 'cpu', RuntimeError, 'must be on NPU, got cpu')])
def test_types_and_places(dtype, device, error, message):
    weight = nn.Parameter(torch.ones(2, dtype=dtype, device=device))
    weight.sum().backward()
    with pytest.raises(error, match=message):
        torch_npu.optim.NpuFusedSGD([weight], lr=0.1).step()


def test_a_weight_in_channels_last():
    conv = nn.Conv2d(3, 4, 3).npu().to(memory_format=torch.channels_last)
    conv(torch.ones(1, 3, 8, 8, device='npu')).sum().backward()
    with pytest.raises(RuntimeError, match='must be contiguous'):
        torch_npu.optim.NpuFusedSGD(conv.parameters(), lr=0.1).step()


def test_clipping(net, optimizer):
    backward(net)
    expected = torch.cat([p.grad.flatten() for p in net.parameters()]).norm()
    norm = optimizer.clip_grad_norm_fused_(1e-3)
    assert norm.item() == pytest.approx(expected.item(), rel=1e-5)
    assert optimizer.grads_all_group_combined[0].norm().item() == pytest.approx(1e-3, rel=1e-3)
