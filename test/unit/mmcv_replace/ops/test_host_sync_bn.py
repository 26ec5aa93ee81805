"""Two processes with unequal shares of a batch against torch's batch norm over all of it."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from mmcv_replace.ops import HostSyncBatchNorm, use_host_sync_batchnorm

SCRIPT = Path(__file__).with_name('sync_bn_process.py')
OPTIONS = ({}, dict(momentum=None), dict(affine=False), dict(track_running_stats=False))


@pytest.fixture(scope='module')
def results(tmp_path_factory, repo_dir):
    folder = tmp_path_factory.mktemp('sync_bn')
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(repo_dir)}
    processes = [subprocess.Popen([sys.executable, str(SCRIPT), str(rank), str(folder / 'store'),
                                   str(folder / f'{rank}.pt')], env=env) for rank in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    return [torch.load(folder / f'{rank}.pt', weights_only=True) for rank in range(2)]


@pytest.mark.parametrize('case', range(len(OPTIONS)))
def test_two_processes_are_one_batch(results, case):
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4, **OPTIONS[case]).double()
    x = torch.randn(8, 4, 5, 3, dtype=torch.float64) + 3
    grad = torch.randn(8, 4, 5, 3, dtype=torch.float64)
    x.requires_grad_()
    for _ in range(2):
        y = norm(x)
    y.backward(grad)
    first, second = (rank[case] for rank in results)
    torch.testing.assert_close(torch.cat([first['y'], second['y']]), y.detach())
    torch.testing.assert_close(torch.cat([first['x_grad'], second['x_grad']]), x.grad)
    for name, parameter in norm.named_parameters():
        total = first['grads'][f'0.{name}'] + second['grads'][f'0.{name}']
        torch.testing.assert_close(total, parameter.grad)
    for key, value in norm.state_dict().items():
        torch.testing.assert_close(first['state'][f'0.{key}'], value)
        torch.testing.assert_close(second['state'][f'0.{key}'], value)


def test_one_value_in_each_process_is_two(results):
    norm = nn.BatchNorm1d(2).double()
    x = torch.tensor([[1.0, 2], [3, 6]], dtype=torch.float64, requires_grad=True)
    y = norm(x)
    (y * torch.tensor([1.0, 2])).square().sum().backward()
    first, second = (rank[-1] for rank in results)
    torch.testing.assert_close(torch.cat([first['y'], second['y']]), y.detach())
    torch.testing.assert_close(torch.cat([first['x_grad'], second['x_grad']]), x.grad)
    for key, value in norm.state_dict().items():
        torch.testing.assert_close(second['state'][key], value)


def test_one_value_in_all_processes_has_no_variance(results):
    for rank in results:
        assert rank[-1]['refused'] == (
            'SyncBN: the batches of all 2 processes together hold 1 value a channel, which has no '
            'variance: set data.samples_per_gpu to 2 or more')


def test_one_process_and_evaluation_are_plain_batch_norm():
    norm = HostSyncBatchNorm(4)
    plain = nn.BatchNorm2d(4)
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(norm(x), plain(x))
    assert torch.equal(norm.eval()(x), plain.eval()(x))


def test_replacement_keeps_tensors_names_and_mode():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.SyncBatchNorm(4))).eval()
    before = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    assert use_host_sync_batchnorm(model) is model
    assert type(model[1][0]) is HostSyncBatchNorm
    assert not model[1][0].training
    assert {name: t.data_ptr() for name, t in model.state_dict().items()} == before


def test_an_input_without_channels():
    with pytest.raises(ValueError, match=r'\[N, C, ...\]'):
        HostSyncBatchNorm(4)(torch.randn(4))
