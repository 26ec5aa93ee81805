"""Training on the simulated NPU: the CPU's numbers in float32, near them in 16 bits."""
import pytest
import torch
import torch.nn.functional as F
import torch_npu
from torch import nn


def make_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
                         nn.ConvTranspose2d(8, 8, 2, stride=2), nn.AdaptiveAvgPool2d(3),
                         nn.Conv2d(8, 5, 1))


def train(device, make_optimizer, dtype=None, scaler=None, steps=4, max_norm=None):
    """Losses and final weights of a small segmentation network."""
    net = make_net().to(device)
    optimizer = make_optimizer(net.parameters())
    torch.manual_seed(1)
    image = torch.randn(4, 3, 8, 8).to(device)
    label = torch.randint(0, 5, (4, 12, 12))
    label[:, :2] = 255
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.autocast(torch.device(device).type, dtype, enabled=dtype is not None):
            out = F.interpolate(net(image), size=(12, 12), mode='bilinear')
            loss = F.cross_entropy(out, label.to(device), ignore_index=255)
        assert loss.dtype == torch.float32
        if scaler is None:
            loss.backward()
            if max_norm is not None:
                nn.utils.clip_grad_norm_(net.parameters(), max_norm)
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        losses.append(loss.item())
    return losses, {key: value.cpu() for key, value in net.state_dict().items()}


def sgd(params, **options):
    return torch.optim.SGD(params, lr=0.5, momentum=0.9, weight_decay=1e-3, **options)


def fused_sgd(params):
    return torch_npu.optim.NpuFusedSGD(params, lr=0.5, momentum=0.9, weight_decay=1e-3)


@pytest.fixture(scope='module')
def on_cpu():
    return train('cpu', sgd)


@pytest.mark.parametrize('make_optimizer', [sgd, fused_sgd, lambda p: sgd(p, fused=True)])
def test_float32_is_the_cpus(on_cpu, make_optimizer):
    losses, state = train('npu', make_optimizer)
    assert losses == pytest.approx(on_cpu[0], abs=1e-6)
    for key, value in on_cpu[1].items():
        torch.testing.assert_close(state[key], value, rtol=1e-5, atol=1e-6, msg=key)


def test_clipped_gradients_are_the_cpus():
    losses, _ = train('npu', sgd, max_norm=0.01)
    assert losses == pytest.approx(train('cpu', sgd, max_norm=0.01)[0], abs=1e-6)


@pytest.mark.parametrize(('ours', 'torchs'), [
    (torch_npu.optim.NpuFusedAdam, torch.optim.Adam),
    (torch_npu.optim.NpuFusedAdamW, torch.optim.AdamW)])
def test_the_fused_adams_are_torchs(ours, torchs):
    losses, _ = train('npu', lambda p: ours(p, lr=0.01))
    assert losses == pytest.approx(train('cpu', lambda p: torchs(p, lr=0.01))[0], abs=1e-6)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_autocast_is_near(on_cpu, dtype):
    losses, state = train('npu', sgd, dtype)
    assert losses == pytest.approx(on_cpu[0], abs=2e-3)
    assert losses != on_cpu[0]
    assert {value.dtype for value in state.values()} == {torch.float32, torch.int64}


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_types_under_autocast(dtype):
    x = torch.rand(2, 3, 4, 4, device='npu')
    conv, norm = nn.Conv2d(3, 3, 1).npu(), nn.BatchNorm2d(3).npu()
    with torch.autocast('npu', dtype):
        low = conv(x)
        assert low.dtype == dtype
        assert norm(low).dtype == dtype
        assert (low @ low).dtype == F.linear(low, low[0, 0]).dtype == dtype
        assert F.softmax(low, 1).dtype == low.sum().dtype == low.exp().dtype == torch.float32
        assert F.cross_entropy(low, torch.zeros(2, 4, 4, dtype=torch.long, device='npu')
                               ).dtype == torch.float32
        assert F.group_norm(low, 1).dtype == torch.float32
        assert torch.cat([low, x]).dtype == torch.float32
    assert conv(x).dtype == torch.float32


def test_autocast_takes_the_types_that_the_device_has(monkeypatch):
    monkeypatch.setenv('SIMULATED_NPU_BF16', '0')
    assert torch.npu.get_amp_supported_dtype() == [torch.float16, torch.float32]
    with pytest.warns(UserWarning, match='bfloat16|dtype'), torch.autocast('npu', torch.bfloat16):
        assert not torch.is_autocast_enabled('npu')


@pytest.mark.parametrize('make_optimizer', [sgd, fused_sgd])
@pytest.mark.parametrize('scaler', [
    lambda: torch.amp.GradScaler('npu', init_scale=2.0**10),
    lambda: torch.npu.amp.GradScaler(init_scale=2.0**10),
    lambda: torch.npu.amp.GradScaler(init_scale=128.0, dynamic=False)])
def test_loss_scaling_is_near(on_cpu, scaler, make_optimizer):
    losses, _ = train('npu', make_optimizer, torch.float16, scaler())
    assert losses == pytest.approx(on_cpu[0], abs=2e-3)


@pytest.mark.parametrize('make', [lambda **o: torch.amp.GradScaler('npu', **o),
                                  torch.npu.amp.GradScaler])
def test_an_overflow_skips_the_step_and_halves_the_scale(make):
    scaler = make(init_scale=4.0)
    weight = nn.Parameter(torch.ones(2, device='npu'))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    for factor, expected in ((float('inf'), 2.0), (1.0, 2.0)):
        optimizer.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == expected
    assert weight.tolist() == [0.0, 0.0]


def test_the_scalers_state():
    scaler = torch.npu.amp.GradScaler(init_scale=8.0, dynamic=False)
    scaler.scale(torch.ones(1, device='npu'))
    state = scaler.state_dict()
    assert (state['scale'], state['dynamic']) == (8.0, False)
    other = torch.npu.amp.GradScaler()
    other.load_state_dict(state)
    assert other.state_dict() == state
    with pytest.raises(KeyError, match='dynamic'):
        other.load_state_dict(torch.amp.GradScaler('npu').state_dict())
    other.scale(torch.ones(1, device='npu'))
    other.update(2.0)
    assert other.get_scale() == 2.0


def test_what_the_real_scaler_refuses():
    half = nn.Parameter(torch.ones(2, device='npu', dtype=torch.float16))
    scaler = torch.npu.amp.GradScaler()
    scaler.scale(half.sum()).backward()
    with pytest.raises(TypeError, match='unscale FP16 gradients'):
        scaler.step(torch.optim.SGD([half], lr=1.0))
    with pytest.raises(TypeError, match='grad_scaler'):
        scaler.step(torch.optim.SGD([nn.Parameter(torch.ones(2, device='npu'))], lr=1., fused=True))
