"""SyncBatchNorm in types that a device's own kernels refuse."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace import device as device_module
from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.device import DeviceKind
from mmcv_replace.ops import HostSyncBatchNorm, WideSyncBatchNorm, fit_sync_batchnorm

XPU = torch.device('xpu', 0)


class Own(nn.SyncBatchNorm):
    """A layer of the user's, who knows what it takes."""


@pytest.fixture
def model():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.SyncBatchNorm(4), nn.Sequential(Own(4)))


@pytest.fixture
def narrow(monkeypatch):
    kind = DeviceKind('xpu', backend='b', sync_batchnorm_types=('float16', 'float32'))
    monkeypatch.setattr(device_module, 'KINDS', (kind, device_module.KINDS[-1]))


def test_layers_change_and_keep_all_they_have(model, narrow):
    keys, weight = list(model.state_dict()), model[1].weight
    assert fit_sync_batchnorm(model, XPU) is model
    assert [type(model[1]), type(model[2][0])] == [WideSyncBatchNorm, Own]
    assert list(model.state_dict()) == keys
    assert model[1].weight is weight
    assert isinstance(copy.deepcopy(model)[1], WideSyncBatchNorm)
    assert not isinstance(revert_sync_batchnorm(model)[1], nn.SyncBatchNorm)


@pytest.mark.parametrize('name', ['cuda', 'cpu'])
def test_other_devices_are_served_as_before(model, name):
    kinds = {kind.type: kind for kind in device_module.KINDS}
    assert 'bfloat16' in kinds[name].sync_batchnorm_types
    fit_sync_batchnorm(model, torch.device(name))
    assert type(model[1]) is {'cuda': nn.SyncBatchNorm, 'cpu': HostSyncBatchNorm}[name]


PROGRAM = '''
import os

import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace.ops import fit_sync_batchnorm
from mmcv_replace.runner import Precision, init_dist
from mmcv_replace.runner.dist_utils import leave_dist
from mmseg.apis.model import wrap_model

init_dist('pytorch')
rank = dist.get_rank()
device = torch.device('npu', rank)
torch.npu.set_device(device)
torch.manual_seed(rank)
x = torch.randn(2, 4, 5, 5)
wanted = nn.SyncBatchNorm(4).to(device)
for dtype in (torch.bfloat16, torch.float16, torch.float32):
    image = x.to(device, dtype)
    try:
        nn.SyncBatchNorm(4).to(device)(image)
        refused = False
    except RuntimeError as error:
        refused = 'is not supported' in str(error)
    assert refused == (dtype is torch.bfloat16), dtype
    layer = fit_sync_batchnorm(nn.SyncBatchNorm(4), device).to(device)
    image.requires_grad_()
    out = layer(image)
    assert out.dtype == dtype
    exact = nn.SyncBatchNorm(4).to(device)(image.detach().float())
    assert torch.equal(out.cpu(), exact.to(dtype).cpu()), dtype
    out.float().square().sum().backward()
    assert image.grad.dtype == dtype and layer.weight.grad.dtype == torch.float32
    assert torch.isfinite(layer.running_var).all()
    layer.eval()
    assert layer(image).dtype == dtype


class Model(nn.Sequential):
    def train_step(self, data, optimizer):
        return dict(loss=self(data).float().square().mean())


model = Model(nn.Conv2d(4, 4, 3), nn.SyncBatchNorm(4))
precision = Precision(device, dtype='bfloat16')
wrapped = wrap_model(model, device, True, precision)
loss = wrapped.train_step(x.to(device), None)['loss']
loss.backward()
os.write(1, f'rank {rank} is done\\n'.encode())  # in one piece: the other writes there too
del wrapped, loss
leave_dist()
'''


def test_bfloat16_on_the_simulated_npu(run_on_npu):
    """Two processes: plain layers are refused there, ours compute as in float32."""
    done = run_on_npu(PROGRAM, nproc=2)
    assert sorted(done.stdout.split('\n')) == ['', 'rank 0 is done', 'rank 1 is done']
