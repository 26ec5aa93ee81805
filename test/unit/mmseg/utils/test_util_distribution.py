import pytest
import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace.parallel import MMDataParallel, MMDistributedDataParallel
from mmcv_replace.utils.errors import ConfigError
from mmseg.utils import build_ddp, build_dp, get_device


def test_the_kind_of_device():
    assert isinstance(get_device(), str)
    assert torch.zeros(1, device=get_device()).item() == 0


@pytest.mark.parametrize('options', [{}, dict(device_ids=[0]), dict(dim=1)])
def test_a_model_for_one_process(options):
    model = nn.Linear(2, 1)
    wrapped = build_dp(model, 'cpu', **options)
    assert isinstance(wrapped, MMDataParallel)
    assert wrapped.module is model
    assert wrapped.dim == options.get('dim', 0)
    assert torch.equal(wrapped(torch.ones(3, 2)), model(torch.ones(3, 2)))


def test_the_usable_device_is_the_default():
    assert next(build_dp(nn.Linear(2, 1)).parameters()).device.type == get_device()


def test_several_devices_are_an_error():
    with pytest.raises(ConfigError, match='one process drives one device'):
        build_dp(nn.Linear(2, 1), 'cpu', device_ids=[0, 1])


def test_a_model_for_several_processes(tmp_path):
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/rendezvous', rank=0,
                            world_size=1)
    try:
        wrapped = build_ddp(nn.Linear(2, 1), 'cpu', device_ids=[0], find_unused_parameters=True)
        assert isinstance(wrapped, MMDistributedDataParallel)
        assert wrapped.find_unused_parameters
        assert wrapped(torch.ones(3, 2)).shape == (3, 1)
    finally:
        dist.destroy_process_group()
