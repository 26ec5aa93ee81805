"""Two processes over gloo together say what one process would."""
import os
import socket
from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.engine import gather as gather_module
from mmcv_replace.parallel import MMDataParallel, MMDistributedDataParallel, collate
from mmcv_replace.runner import Hook, dist_utils
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import (
    ConfusionMatrix,
    collect,
    collect_results,
    eval_hooks,
    evaluate_model,
    multi_gpu_test,
    reduce_confusion,
)
from mmseg.core.evaluation.gathering import Gatherer, needs_of
from mmseg.core.evaluation.val_loss import ValidationLoss

WORLD = 2


def share(rank, length=7):
    """(index, label map) of the samples of one process."""
    return [(index, np.full((index + 1, 3), index)) for index in range(rank, length, WORLD)]


def confusion_of(rank):
    confusion = ConfusionMatrix(3)
    confusion.matrix[:] = np.arange(9).reshape(3, 3) * (rank + 1)
    # More than 32 bits, and a carry from the low half.
    confusion.matrix[0, 0] = 2**40 + 65535
    return confusion


class WithWeights(ConfusionMatrix):
    """Counts of a metric that needs more than the matrix."""

    def __init__(self, rank):
        super().__init__(3)
        self.weights = np.array([[0.25], [rank + 0.75]])

    def arrays(self):
        return [*super().arrays(), self.weights]


def collect_by(rank, **options):
    results = collect_results(share(rank), **options)
    if rank != 0:
        assert results is None
        return
    assert len(results) == 7
    for index, label_map in enumerate(results):
        np.testing.assert_array_equal(label_map, np.full((index + 1, 3), index))


def over_network(rank, folder, make_parts):
    collect_by(rank, gpu_collect=True)


def over_files(rank, folder, make_parts):
    collect_by(rank, tmpdir=folder / 'shared')


def over_default_files(rank, folder, make_parts):
    os.chdir(folder)
    collect_by(rank)


def repeated_samples(rank, folder, make_parts):
    results = collect_results([(0, np.array([0])), (1, np.array([1]))], gpu_collect=True)
    if rank == 0:
        assert [result.tolist() for result in results] == [[0], [1]]


def reduce_counts(rank, folder, make_parts):
    confusion = confusion_of(rank)
    reduce_confusion(confusion)
    expected = sum(confusion_of(other).matrix for other in range(WORLD))
    np.testing.assert_array_equal(confusion.matrix, expected)
    assert confusion.matrix.dtype == np.int64
    more = WithWeights(rank)
    reduce_confusion(more)
    np.testing.assert_array_equal(more.weights, [[0.5], [2.5]])


class StubRunner:
    def __init__(self, rank):
        self.model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.model[1].running_mean.fill_(rank)
        self.model[1].running_var.fill_(rank + 5)


def broadcast_norms(rank, folder, make_parts):
    eval_hooks.EvalHook._score = lambda self, runner, gather, loss: {}
    hook = object.__new__(eval_hooks.DistEvalHook)
    for wanted, mean in ((False, float(rank)), (True, 0.0)):
        runner = StubRunner(rank)
        hook.broadcast_bn_buffer = wanted
        hook._score(runner, None, None)
        assert runner.model[1].running_mean.tolist() == [mean] * 3
        assert runner.model[1].running_var.tolist() == [mean + 5] * 3


def own_share(dataset, rank):
    return DataLoader(dataset, sampler=range(rank, len(dataset), WORLD), collate_fn=collate)


def scores_of_all(rank, folder, make_parts):
    model, dataset = make_parts()
    evaluate_model(MMDistributedDataParallel(model), own_share(dataset, rank))
    expected = ConfusionMatrix(3)
    for pred, label in zip(dataset.preds, dataset.labels, strict=True):
        expected.update(pred, label)
    np.testing.assert_array_equal(dataset.evaluated[0][0].matrix, expected.matrix)


def evidence_of_all(rank, folder, make_parts):
    model, dataset = make_parts()
    needs = needs_of([Needing('samples', 'pictures', 'worst')] if rank == 0 else [])
    gather = Gatherer(dataset, needs, [1, 2, 4])
    evaluate_model(MMDistributedDataParallel(model), own_share(dataset, rank), gather=gather)
    alone = Gatherer(dataset, needs, [1, 2, 4])
    with pytest.MonkeyPatch.context() as patch:
        for module in (collect, gather_module, dist_utils):
            patch.setattr(module, 'get_dist_info', lambda: (0, 1))
        evaluate_model(MMDataParallel(model), DataLoader(dataset, collate_fn=collate),
                       gather=alone)
    np.testing.assert_array_equal(gather.confusion, alone.confusion)
    assert gather.samples == alone.samples
    assert [sample.index for sample in gather.samples] == [*range(7)]
    if rank == 0:
        assert [*gather.pictures()] == [*alone.pictures()] == [
            f'city/{index}.png' for index in (1, 2, 4)]
        assert [each.sample for each in gather.worst()] == [each.sample for each in alone.worst()]
        np.testing.assert_array_equal(gather.pictures()['city/1.png'].seg_map, dataset.preds[1])
    else:
        assert (gather.pictures(), gather.worst()) == ({}, [])


class Needing(Hook):
    def __init__(self, *needs):
        self.evaluation_needs = frozenset(needs)


def losses_of_all(rank, folder, make_parts):
    """Each image counts the same, though the processes have three and four of them."""
    loss = ValidationLoss(None, None)
    loss._sums = {'loss': [float(index) for index in range(rank, 7, WORLD)]}
    assert loss.finish() == {'val/loss': 3.0}
    empty = ValidationLoss(None, None)
    empty._sums = {'loss': [2.0]} if rank == 1 else {}
    assert empty.finish() == {'val/loss': 2.0}


def label_maps_of_all(rank, folder, make_parts):
    model, dataset = make_parts()
    for options in (dict(tmpdir=folder / 'shared'), dict(gpu_collect=True)):
        results = multi_gpu_test(MMDataParallel(model), own_share(dataset, rank), **options)
        if rank == 0:
            for result, expected in zip(results, dataset.preds, strict=True):
                np.testing.assert_array_equal(result, expected)


TASKS = (over_network, over_files, over_default_files, repeated_samples, reduce_counts,
         broadcast_norms, scores_of_all, evidence_of_all, losses_of_all, label_maps_of_all)


def run_all(rank, port, folder, make_parts):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=WORLD, timeout=timedelta(seconds=60))
    for task in TASKS:
        task(rank, folder, make_parts)
        dist.barrier()
        (folder / f'{task.__name__}_{rank}').touch()
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def finished(tmp_path_factory, make_parts):
    """Names of the tasks that both processes have finished."""
    folder = tmp_path_factory.mktemp('collect')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.start_processes(run_all, (port, folder, make_parts), WORLD, start_method='fork')
    assert not list((folder / 'shared').iterdir())
    assert not list((folder / '.dist_test').iterdir())
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize('task', TASKS)
def test_two_processes(finished, task):
    assert {f'{task.__name__}_{rank}' for rank in range(WORLD)} <= finished


def test_folder_that_another_host_does_not_see(monkeypatch):
    def name_a_folder_of_rank_0(folder):
        folder[0] = '/nowhere/part'
    monkeypatch.setattr(collect, 'get_dist_info', lambda: (1, 2))
    monkeypatch.setattr(dist, 'broadcast_object_list', name_a_folder_of_rank_0)
    with pytest.raises(ConfigError, match='process 1 does not see /nowhere/part.*--tmpdir'):
        collect_results(share(1))


def test_one_process_needs_no_group():
    results = collect_results([(1, 'b'), (0, 'a')])
    assert results == ['a', 'b']
    confusion = confusion_of(0)
    reduce_confusion(confusion)
    np.testing.assert_array_equal(confusion.matrix, confusion_of(0).matrix)
