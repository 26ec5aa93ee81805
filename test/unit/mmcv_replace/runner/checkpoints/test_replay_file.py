"""Batches that are loaded again are those that the run saw, and what is saved of them is plain."""
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from mmcv_replace.parallel import DataContainer, DevicePrefetcher
from mmcv_replace.runner import Hook, Precision
from mmcv_replace.runner.checkpoints.replay_file import (
    load_again,
    position_of_batch,
    read_replay,
    write_replay,
)
from mmcv_replace.utils.errors import CheckpointError, DataError
from mmseg.datasets import build_dataloader


class Augmented(Dataset):
    """Every sample differs from epoch to epoch; some cannot be loaded."""

    def __init__(self, bad=()):
        self.bad = bad

    def __len__(self):
        return 11

    def __getitem__(self, index):
        if index in self.bad:
            raise DataError(f'sample {index} is damaged')
        meta = {'filename': f'{index}.jpg', 'mean': np.array([1.5, 2.5])}
        return {'x': DataContainer(torch.tensor([index, np.random.rand()]), stack=True,
                                   pad_dims=None),
                'img_metas': DataContainer(meta, cpu_only=True)}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2))

    def train_step(self, data, optimizer):
        loss = (data['x'].data[0] * self.weight).mean()
        return {'loss': loss, 'log_vars': {}, 'num_samples': 2}


class Compare(Hook):
    """After each iteration loads the batches of this and an earlier one again."""

    def __init__(self):
        self.seen = []
        self.compared = 0

    def after_train_iter(self, runner):
        self.seen.append((position_of_batch(runner), runner.data_batch['x'].data[0].clone()))
        for place, batch in (self.seen[-1], self.seen[len(self.seen) // 2]):
            again = load_again(runner, place)
            assert torch.equal(again['x'].data[0], batch)
            self.compared += 1


@pytest.mark.parametrize('options', [
    {}, {'by_epoch': True}, {'workers': 2}, {'bad': (3, 4)}, {'by_epoch': True, 'rank': 1},
    {'workers': 2, 'ahead': True}, {'ahead': True, 'by_epoch': True}])
def test_a_batch_is_loaded_again_as_it_was(make_runner, monkeypatch, options):
    world = (options['rank'], 2) if 'rank' in options else (0, 1)
    monkeypatch.setattr('mmseg.datasets.loader.get_dist_info', lambda: world)
    bad = options.get('bad')
    loader = build_dataloader(Augmented(bad or ()), 2, options.get('workers', 0), dist=True, seed=5,
                              drop_last=True, max_skipped=5 if bad else None)
    if options.get('ahead'):
        loader = DevicePrefetcher(loader, torch.device('cpu'))
    by_epoch = options.get('by_epoch', False)
    runner = make_runner(by_epoch, model=Model(), **{'max_epochs' if by_epoch else 'max_iters':
                                                     3 if by_epoch else 13})
    runner.register_optimizer_hook({})
    compare = Compare()
    runner.register_hook(compare, 'LOW')
    runner.run([loader], [('train', 1)])
    assert compare.compared == 2 * runner.iter > 10
    values = torch.stack([batch for _, batch in compare.seen])[..., 1]
    assert len(values.unique()) == values.numel()
    # Nor did looking back disturb the order of the run.
    indices = torch.cat([batch for _, batch in compare.seen])[..., 0].tolist()
    each_pass = 2 * len(loader)
    for start in range(0, len(indices) - each_pass + 1, each_pass):
        one_pass = indices[start:start + each_pass]
        assert bad or len(set(one_pass)) == each_pass


def test_without_a_known_order_there_is_no_place(make_runner, make_loader):
    runner = make_runner()
    runner.register_optimizer_hook({})
    places = []
    hook = Hook()
    hook.after_train_iter = lambda runner: places.append(position_of_batch(runner))
    runner.register_hook(hook)
    runner.run([make_loader()], [('train', 1)])
    assert places == [None] * 3


def test_written_and_read(make_runner, tmp_path):
    runner = make_runner(model=Model(), meta={'config': 'a = 1\n'})
    batch = {'x': DataContainer([torch.ones(1, 2)], stack=True),
             'img_metas': DataContainer([[{'filename': 'ü.jpg', 'mean': np.array([1.5])}]],
                                        cpu_only=True)}
    facts = {'iteration': 3, 'losses': {'loss': float('nan')}}
    write_replay(runner, tmp_path / 'a.pth', batch, facts, torch.get_rng_state())
    torch.load(tmp_path / 'a.pth', weights_only=True)
    saved = read_replay(tmp_path / 'a.pth')
    assert torch.equal(saved['batch']['x'], torch.ones(1, 2))
    assert saved['batch']['img_metas'] == [{'filename': 'ü.jpg', 'mean': [1.5]}]
    assert saved['facts']['iteration'] == 3
    assert saved['config'] == 'a = 1\n'
    assert torch.equal(saved['state_dict']['weight'], runner.model.weight)
    runner.model.weight.data[0] = float('inf')
    write_replay(runner, tmp_path / 'b.pth', batch, facts, None)
    assert read_replay(tmp_path / 'b.pth')['state_dict'] is None


def test_float32_masters_are_what_is_kept(make_runner, tmp_path):
    model = Model()
    runner = make_runner(model=model, precision=Precision('cpu', 'O2', 'bfloat16'))
    runner.precision.cast(model)
    runner.precision.attach(model, runner.optimizer)
    master = runner.precision.masters.by_name()['weight']
    master.data.fill_(1.001)  # bfloat16 has no such number
    write_replay(runner, tmp_path / 'a.pth', (torch.zeros(1),), {}, None)
    assert torch.equal(read_replay(tmp_path / 'a.pth')['state_dict']['weight'], master)


def test_other_files_are_refused(make_runner, tmp_path):
    path = make_runner(model=Model()).save_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match='holds no training batch to replay'):
        read_replay(path)
