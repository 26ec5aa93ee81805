import pytest
import torch
from torch import nn

from mmcv_replace.parallel import DataContainer, MMDataParallel, collate, is_module_wrapper
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.utils.errors import ConfigError


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x, scale=1):
        return self.layer(x) * scale

    def train_step(self, data, optimizer):
        return {'loss': self(data['x']).sum(), 'optimizer': optimizer}

    def val_step(self, data, optimizer):
        return {'val': self(data['x']).sum()}


def batch():
    return collate([{'x': DataContainer(torch.ones(2), stack=True, pad_dims=None)}] * 3,
                   samples_per_gpu=3)


def test_unwraps_batches():
    model = Model()
    wrapped = MMDataParallel(model, device_ids=[0])
    expected = model(torch.ones(3, 2))
    assert torch.equal(wrapped(**batch(), scale=2), 2 * expected)
    step = wrapped.train_step(batch(), 'the optimizer')
    assert torch.equal(step['loss'], expected.sum())
    assert step['optimizer'] == 'the optimizer'
    assert torch.equal(wrapped.val_step(batch())['val'], expected.sum())


def test_batches_go_to_the_device_of_the_parameters():
    wrapped = MMDataParallel(Model().to('meta'))
    assert wrapped(**batch()).device.type == 'meta'
    assert device_of(nn.ReLU()) == torch.device('cpu')


def test_several_devices_are_refused():
    with pytest.raises(ConfigError, match='torchrun --nproc_per_node=2'):
        MMDataParallel(Model(), device_ids=[0, 1])


def test_is_module_wrapper():
    assert is_module_wrapper(MMDataParallel(Model()))
    assert is_module_wrapper(nn.DataParallel(Model()))
    assert not is_module_wrapper(Model())
