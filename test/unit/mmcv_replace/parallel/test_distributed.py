"""Two gloo processes against one plain loop over both of their batches."""
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmcv_replace.parallel import MMDistributedDataParallel

SCRIPT = Path(__file__).with_name('two_processes.py')


@pytest.fixture(scope='module')
def results(tmp_path_factory, repo_dir):
    store = tmp_path_factory.mktemp('store') / 'store'
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(repo_dir)}
    processes = [subprocess.Popen([sys.executable, str(SCRIPT), str(rank), str(store)], env=env,
                                  stdout=subprocess.PIPE, text=True) for rank in range(2)]
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    return [json.loads(output) for output in outputs]


def reference():
    """Weights after two steps on the mean of both ranks' losses, and those losses."""
    torch.manual_seed(0)
    layer = nn.Linear(2, 1)
    batches = [torch.stack([torch.randn(2, generator=generator) for _ in range(3)])
               for generator in (torch.Generator().manual_seed(rank) for rank in range(2))]
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    history = []
    for _ in range(2):
        losses = [layer(batch).square().mean() for batch in batches]
        history.append([loss.item() for loss in losses])
        optimizer.zero_grad()
        (sum(losses) / 2).backward()
        optimizer.step()
    return layer, history


def test_replicas_train_as_one(results):
    layer, history = reference()
    assert [result['info'] for result in results] == [[0, 2], [1, 2]]
    for rank, result in enumerate(results):
        torch.testing.assert_close(torch.tensor(result['weight']), layer.weight.data)
        torch.testing.assert_close(torch.tensor(result['bias']), layer.bias.data)
        assert result['losses'] == pytest.approx([step[rank] for step in history], rel=1e-6)
        assert result['wrapper']


def test_log_means_are_over_both_ranks(results):
    _, history = reference()
    expected = sum(sum(step) for step in history) / 4
    for result in results:
        assert result['mean']['loss'] == pytest.approx(expected, rel=1e-6)
        assert result['empty'] == []


def test_master_only(results):
    assert [result['master'] for result in results] == ['spoke', None]


def test_a_step_without_gradients_is_still_the_train_step(results):
    assert [result['step'] for result in results] == [['log_vars', 'loss', 'num_samples']] * 2


def test_the_deprecated_wrapper_starts_from_the_first_rank(results):
    weights = [[1.0] * 6, [2.0] * 4]
    for rank, result in enumerate(results):
        with_buffers, without, outputs = result['broadcast']
        assert with_buffers == [*weights, [3]]
        assert without == [*weights, [rank + 3]]
        assert outputs == [6.0, 'sgd', 6.0]


def test_parameters_are_those_of_torch():
    own = inspect.signature(MMDistributedDataParallel)
    assert own == inspect.signature(DistributedDataParallel)


def test_scatter_and_to_kwargs():
    model = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    nn.Module.__init__(model)
    model.dim = 1
    x = torch.arange(4).reshape(1, 4)
    (call,), (options,) = model.to_kwargs((x,), {'y': 1}, -1)
    assert torch.equal(call[0], x)
    assert options == {'y': 1}
    args, _ = model.scatter((x,), {}, [-1, -1])
    assert [part.tolist() for (part,) in args] == [[[0, 1]], [[2, 3]]]
