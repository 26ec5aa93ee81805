"""Results of a data set from one process, and from two over gloo."""
import os
import socket
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler

from mmcv_replace import engine
from mmcv_replace.engine import test as engine_test

SIZE = 5
WORLD = 2


class Numbers:
    def __len__(self):
        return SIZE

    def __getitem__(self, index):
        return {'x': torch.tensor([float(index)])}


class Double(nn.Module):
    """Doubles each number, and notes how it is called."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, x, return_loss=True):
        self.calls.append((return_loss, self.training, torch.is_grad_enabled(), len(x)))
        return [{'sum': 2 * float(value)} for value in x]


EXPECTED = [{'sum': 2.0 * number} for number in range(SIZE)]


def test_one_process(capsys):
    model = Double().train()
    loader = DataLoader(Numbers(), batch_size=2)
    assert engine.single_gpu_test(model, loader) == EXPECTED
    assert model.calls == [(False, False, False, 2)] * 2 + [(False, False, False, 1)]
    assert not model.training
    assert '5/5' in capsys.readouterr().err


@pytest.mark.parametrize('options', [{}, dict(gpu_collect=True), dict(tmpdir='nowhere')])
def test_one_process_needs_no_group(options):
    assert engine.multi_gpu_test(Double(), DataLoader(Numbers()), **options) == EXPECTED


def test_the_first_results_are_kept():
    assert engine.collect_results_cpu([1, 2, 3], 2) == [1, 2]
    assert engine.collect_results_gpu((1, 2, 3), 2) == [1, 2]


def test_unequal_shares_come_in_turn():
    assert engine_test._in_turn([[0, None, 4], [1, 3]], 9) == [0, 1, None, 3, 4]
    assert engine_test._in_turn(None, 9) is None


def test_an_error_closes_the_bar(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, total):
            bars.append(self)
            self.completed, self.closed = 0, False

        def update(self, count):
            self.completed += count

        def close(self):
            self.closed = True

    monkeypatch.setattr(engine_test, 'ProgressBar', Bar)
    with pytest.raises(TypeError):
        engine.single_gpu_test(nn.Identity(), DataLoader(Numbers()))
    assert bars[0].closed


def run_two(rank, port, folder):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=WORLD, timeout=timedelta(seconds=60))
    # It repeats a sample, so that both processes have three.
    sampler = DistributedSampler(Numbers(), WORLD, rank, shuffle=False)
    for options in (dict(gpu_collect=True), dict(tmpdir=str(folder)), {}):
        results = engine.multi_gpu_test(Double(), DataLoader(
            Numbers(), batch_size=2, sampler=sampler), **options)
        assert results == (EXPECTED if rank == 0 else None)
    own = [rank] * (2 + rank)
    assert engine.collect_results_cpu(own, 9) == ([0, 1, 0, 1, 1] if rank == 0 else None)
    assert engine.collect_results_gpu(own, 3) == ([0, 1, 0] if rank == 0 else None)
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.start_processes(run_two, (port, tmp_path), WORLD, start_method='fork')
    assert not list(tmp_path.iterdir())
