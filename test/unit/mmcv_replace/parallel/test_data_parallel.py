import pytest
import torch
from torch import nn

from mmcv_replace.parallel import DataContainer, MMDataParallel, collate
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

    def val_step(self, data, optimizer, scale=1):
        return {'val': self(data['x'], scale).sum()}


def batch():
    return collate([{'x': DataContainer(torch.ones(2), stack=True, pad_dims=None)}] * 3,
                   samples_per_gpu=3)


def test_unwraps_batches():
    model = Model()
    wrapped = MMDataParallel(model)
    expected = model(torch.ones(3, 2))
    assert torch.equal(wrapped(**batch(), scale=2), 2 * expected)
    step = wrapped.train_step(batch(), 'the optimizer')
    assert torch.equal(step['loss'], expected.sum())
    assert step['optimizer'] == 'the optimizer'
    assert torch.equal(wrapped.val_step(batch(), None)['val'], expected.sum())
    assert torch.equal(wrapped.val_step(batch(), optimizer=None, scale=2)['val'],
                       (2 * expected).sum())


def test_batches_go_to_the_device_of_the_parameters():
    wrapped = MMDataParallel(Model().to('meta'))
    assert wrapped(**batch()).device.type == 'meta'
    assert device_of(nn.ReLU()) == torch.device('cpu')


def test_several_devices_are_refused():
    with pytest.raises(ConfigError, match='torchrun --nproc_per_node=2'):
        MMDataParallel(Model(), device_ids=[0, 1])


@pytest.fixture
def accelerators(monkeypatch):
    """Two meta devices that count as accelerators."""
    def device_at(target):
        if isinstance(target, int):
            return torch.device('cpu') if target < 0 else torch.device('meta', target)
        return torch.device(target)

    monkeypatch.setattr('mmcv_replace.parallel.data_parallel.device_at', device_at)


@pytest.mark.parametrize('arguments', [dict(device_ids=[1]), dict(device_ids=['meta:1'])])
def test_the_model_moves_to_the_device_that_is_asked_for(accelerators, arguments):
    wrapped = MMDataParallel(Model(), **arguments)

    assert wrapped.device_ids == [1]
    assert device_of(wrapped.module).type == 'meta'


def test_minus_one_is_the_host(accelerators):
    wrapped = MMDataParallel(Model(), [-1])

    assert wrapped.device_ids == []
    assert device_of(wrapped.module).type == 'cpu'


def test_it_is_a_data_parallel_of_torch():
    wrapped = MMDataParallel(module=Model(), output_device=0, dim=1)

    assert isinstance(wrapped, nn.DataParallel)
    assert wrapped.dim == 1
    assert list(wrapped.state_dict()) == ['module.layer.weight', 'module.layer.bias']


def test_scatter_splits_along_its_dimension():
    x = torch.arange(4).reshape(1, 4)
    args, kwargs = MMDataParallel(Model(), dim=1).scatter((x,), {'y': 1}, ['cpu', 'cpu'])

    assert [part.tolist() for (part,) in args] == [[[0, 1]], [[2, 3]]]
    assert kwargs == ({'y': 1}, {'y': 1})


def test_numbers_on_the_simulated_npu(run_on_npu):
    code = '''
import torch
from torch import nn
from mmcv_replace.parallel import DataContainer, MMDataParallel, scatter
from mmcv_replace.parallel._functions import get_input_device
batch = {'input': DataContainer([torch.ones(3, 2)], stack=True)}
model = MMDataParallel(nn.Linear(2, 1), device_ids=[1])
print(model(**batch).device, model.device_ids)
for numbers in ([0], [-1]):
    (moved,) = scatter(batch, numbers)
    print(moved['input'].device, get_input_device([moved['input']]))
'''
    assert run_on_npu(code).stdout == 'npu:1 [1]\nnpu:0 0\ncpu -1\n'
