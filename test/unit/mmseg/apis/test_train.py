"""Wiring of a training: DDP's options, SyncBN, and errors of the exchange between processes."""
import pytest
import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace import device
from mmcv_replace.device import DeviceKind
from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import Precision
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError, LostPeerError
from mmseg.apis.train import ddp_options, naming_lost_peers, wrap_model


def test_options_of_ddp():
    cfg = Config(dict(optimizer=dict(type='SGD'), find_unused_parameters=True,
                      ddp=dict(static_graph=True, bucket_cap_mb=10)))
    options = ddp_options(cfg, torch.device('cpu'))
    sharing = options.keys() & {'broadcast_buffers', 'forward_sync_buffers'}
    assert [options.pop(name) for name in sharing] == [False]
    assert options == dict(gradient_as_bucket_view=True, find_unused_parameters=True,
                           static_graph=True, bucket_cap_mb=10)


def test_an_optimizer_with_its_own_gradients_gets_no_views(monkeypatch):
    cfg = Config(dict(optimizer=dict(type='NpuFusedSGD')))
    assert ddp_options(cfg, torch.device('cpu'))['gradient_as_bucket_view']
    monkeypatch.setattr(device, 'KINDS', (DeviceKind('xpu', backend='b', optimizers='vendor'),))
    assert not ddp_options(cfg, torch.device('xpu'))['gradient_as_bucket_view']


def test_one_process_has_no_syncbn():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.SyncBatchNorm(4))
    wrapped = wrap_model(model, torch.device('cpu'), False, Precision('cpu'))
    assert isinstance(wrapped, MMDataParallel)
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in wrapped.modules())


@pytest.fixture
def one_process_group(tmp_path):
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def fail_with(error):
    with naming_lost_peers():
        raise error


@pytest.mark.parametrize('error', [
    RuntimeError('[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:3'),
    RuntimeError('Timed out waiting 8000ms for recv operation to complete'),
    dist.DistBackendError('NCCL error: remote process exited'),
])
def test_a_failed_exchange_is_named(one_process_group, error):
    with pytest.raises(LostPeerError, match=r'(?s)rank 0: an exchange .* failed.*timeout=SECONDS'):
        fail_with(error)


@pytest.mark.parametrize('error', [RuntimeError('shapes do not fit'), DataError('peer.jpg')])
def test_other_errors_stay_what_they_are(one_process_group, error):
    with pytest.raises(type(error)) as raised:
        fail_with(error)
    assert raised.value is error


def test_without_other_processes_nothing_is_renamed():
    with pytest.raises(RuntimeError, match='timed out') as raised:
        fail_with(RuntimeError('timed out'))
    assert not isinstance(raised.value, LostPeerError)
