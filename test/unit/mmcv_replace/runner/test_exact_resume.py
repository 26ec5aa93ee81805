"""A run that was interrupted anywhere and resumed is the uninterrupted one, bit for bit."""
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.runner import EpochBasedRunner, Hook, IterBasedRunner
from mmcv_replace.runner.checkpoints import run_state
from mmcv_replace.runner.checkpoints.run_state import random_states, restore_random_states
from mmcv_replace.utils.errors import CheckpointError
from mmseg.datasets.loader.sampler import EpochSampler

LENGTH = 11  # samples: 5 batches of 2, and one sample is left out
TOTAL = 13  # iterations of a run
SCHEDULE = {
    'lr_config': {'policy': 'poly', 'by_epoch': False, 'warmup': 'linear', 'warmup_iters': 6},
    'momentum_config': {'policy': 'cyclic', 'by_epoch': False},
}


class Samples:
    """Remembers which samples were loaded."""

    def __init__(self):
        generator = torch.Generator().manual_seed(1)
        self.x = torch.randn(LENGTH, 4, generator=generator)
        self.loaded = []

    def __len__(self):
        return LENGTH

    def __getitem__(self, index):
        self.loaded.append(int(index))
        return self.x[index]


class Noisy(nn.Module):
    """Draws from every generator in each step, and has a buffer."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5),
                                    nn.Linear(8, 1))

    def train_step(self, data, optimizer):
        noise = random.random() + np.random.rand() + torch.rand(())
        loss = (self.layers(data) - data.sum(1, keepdim=True) + noise).abs().mean()
        return {'loss': loss, 'log_vars': {'loss': loss.detach()}, 'num_samples': len(data)}

    val_step = train_step


class Diary(Hook):
    """Writes down the losses, and may fail or save after an iteration, last of all hooks."""

    def __init__(self, fail_after=None, save_after=None, folder=None):
        self.fail_after, self.save_after, self.folder = fail_after, save_after, folder
        self.losses = []
        self.validated = []
        self.epochs = []

    def after_train_iter(self, runner):
        self.losses.append((runner.iter, runner.outputs['loss'].item(), runner.current_lr(),
                            runner.current_momentum()))
        if runner.finished_iters == self.save_after:
            runner.save_checkpoint(self.folder, 'stop.pth', create_symlink=False)
        if runner.finished_iters == self.fail_after:
            raise KeyboardInterrupt

    def after_val_iter(self, runner):
        self.validated.append((runner.iter, runner.outputs['loss'].item()))

    def after_train_epoch(self, runner):
        self.epochs.append(runner.iter)


def loader(dataset, batch_size=2, seed=3):
    return DataLoader(dataset, batch_size, sampler=EpochSampler(dataset, seed=seed), drop_last=True,
                      generator=torch.Generator())


def run(folder, by_epoch=False, accumulate=1, workflow=(('train', 1),), diary=None, resume=None,
        batch_size=2, **config):
    """Train; returns the model, the diary and the training samples."""
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    if resume is not None:  # nothing of the start may matter
        torch.manual_seed(99), random.seed(99), np.random.seed(99)
    model = Noisy()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    kind, limit = (EpochBasedRunner, {'max_epochs': 3}) if by_epoch else (
        IterBasedRunner, {'max_iters': TOTAL})
    runner = kind(model, optimizer=optimizer, work_dir=folder, **limit)
    runner.register_training_hooks(optimizer_config={'cumulative_iters': accumulate},
                                   **{**SCHEDULE, **config})
    diary = diary or Diary()
    runner.register_hook(diary, 'LOWEST')
    if resume is not None:
        runner.resume(resume)
    datasets = [Samples() for _ in workflow]
    try:
        runner.run([loader(dataset, batch_size) for dataset in datasets], workflow)
    except KeyboardInterrupt:
        assert diary.fail_after is not None
    return model, diary, datasets[0]


@pytest.mark.parametrize('accumulate', [1, 3])
@pytest.mark.parametrize('by_epoch', [False, True])
def test_losses_and_weights_after_an_interruption_anywhere(tmp_path, by_epoch, accumulate):
    total = 15 if by_epoch else TOTAL
    options = {'by_epoch': by_epoch, 'accumulate': accumulate}
    whole, expected, _ = run(tmp_path / 'whole', **options)
    assert [entry[0] for entry in expected.losses] == list(range(total))
    for stop in range(1, total + 1):
        _, first, _ = run(tmp_path, diary=Diary(stop, stop, tmp_path), **options)
        model, second, _ = run(tmp_path, resume=tmp_path / 'stop.pth', **options)
        assert first.losses + second.losses == expected.losses, f'stopped after {stop}'
        assert second.epochs == [entry for entry in expected.epochs if entry >= stop]
        for key, value in whole.state_dict().items():
            assert torch.equal(model.state_dict()[key], value), f'{key}, stopped after {stop}'


@pytest.mark.parametrize('by_epoch', [False, True])
def test_a_regular_checkpoint_is_as_exact(tmp_path, by_epoch):
    config = {'checkpoint_config': {'interval': 4, 'by_epoch': False}}
    whole, expected, _ = run(tmp_path / 'whole', by_epoch)
    run(tmp_path, by_epoch, diary=Diary(11), **config)
    model, second, _ = run(tmp_path, by_epoch, resume=tmp_path / 'latest.pth', **config)
    assert second.losses == expected.losses[8:]
    assert torch.equal(model.layers[0].weight, whole.layers[0].weight)


@pytest.mark.parametrize(('by_epoch', 'workflow'), [
    (False, (('train', 3), ('val', 2))), (False, (('val', 1), ('train', 2))),
    (True, (('train', 2), ('val', 1)))])
def test_the_workflow_goes_on_where_it_was(tmp_path, by_epoch, workflow):
    _, expected, _ = run(tmp_path / 'whole', by_epoch, workflow=workflow)
    assert expected.validated
    for stop in (1, 4, 5, 10, 12):
        _, first, _ = run(tmp_path, by_epoch, workflow=workflow,
                          diary=Diary(stop, stop, tmp_path))
        _, second, _ = run(tmp_path, by_epoch, workflow=workflow, resume=tmp_path / 'stop.pth')
        assert first.losses + second.losses == expected.losses, stop
        assert first.validated + second.validated == expected.validated, stop


@pytest.mark.parametrize('by_epoch', [False, True])
def test_nothing_is_loaded_that_was_done(tmp_path, by_epoch):
    """The time to the first resumed step is the same wherever it is."""
    _, _, whole = run(tmp_path / 'whole', by_epoch)
    for stop in (1, 4, 7, 12):
        run(tmp_path, by_epoch, diary=Diary(stop, stop, tmp_path))
        _, _, rest = run(tmp_path, by_epoch, resume=tmp_path / 'stop.pth',
                         diary=Diary(fail_after=stop + 1))
        assert rest.loaded == whole.loaded[2 * stop:2 * stop + 2]


def test_another_batch_size_goes_on_in_the_same_order(tmp_path):
    """Three batches of 2 are done; the first pass over 11 samples has one batch of 4 left."""
    _, _, whole = run(tmp_path / 'whole')
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    _, _, rest = run(tmp_path, resume=tmp_path / 'stop.pth', batch_size=4)
    assert rest.loaded[:4] == whole.loaded[6:10]
    assert rest.loaded[4:8] == whole.loaded[10:14]  # the next pass


def test_a_shortened_epoch_ends(tmp_path):
    fixed = {'lr_config': {'policy': 'fixed'}, 'momentum_config': None}
    run(tmp_path, True, diary=Diary(3, 3, tmp_path), **fixed)
    _, diary, rest = run(tmp_path, True, resume=tmp_path / 'stop.pth', batch_size=4, **fixed)
    assert len(rest.loaded) == 4 + 2 * 8
    assert len(diary.epochs) == 3


def test_an_older_checkpoint_begins_a_new_pass(tmp_path, log_lines):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    stored = torch.load(tmp_path / 'stop.pth', weights_only=True)
    del stored['run_state']
    torch.save(stored, tmp_path / 'old.pth')
    _, diary, rest = run(tmp_path, resume=tmp_path / 'old.pth')
    second_pass = EpochSampler(range(LENGTH), seed=3)
    second_pass.set_epoch(1)
    assert rest.loaded[:10] == list(second_pass)[:10]
    assert len(diary.losses) == TOTAL - 3
    assert any('has no run_state' in line for line in log_lines)


def test_a_sampler_that_cannot_start_in_the_middle_begins_its_pass_anew(tmp_path, make_runner,
                                                                        make_loader):
    runner = make_runner(max_iters=2)
    runner.run([make_loader()], [('train', 1)])
    path = runner.save_checkpoint(tmp_path)
    assert torch.load(path, weights_only=True)['run_state']['place']['data'] == [None]
    resumed = make_runner(max_iters=4)
    resumed.resume(path)
    resumed.run([make_loader()], [('train', 1)])
    assert (resumed.iter, resumed.epoch) == (4, 1)


def test_another_number_of_processes_is_said(tmp_path, log_lines):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    stored = torch.load(tmp_path / 'stop.pth', weights_only=True)
    stored['run_state']['processes'] *= 2
    torch.save(stored, tmp_path / 'two.pth')
    _, _, rest = run(tmp_path, resume=tmp_path / 'two.pth')
    assert len(rest.loaded) == 2 * (TOTAL - 3)
    [table] = [line for line in log_lines if 'what differs' in line]
    assert '| processes | 2          | 1      | config (taken); random' in table


def test_another_device_is_said(tmp_path, log_lines):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    stored = torch.load(tmp_path / 'stop.pth', weights_only=True)
    stored['run_state']['processes'][0]['random']['device'] = ('npu', None)
    torch.save(stored, tmp_path / 'elsewhere.pth')
    run(tmp_path, resume=tmp_path / 'elsewhere.pth')
    [table] = [line for line in log_lines if 'what differs' in line]
    assert '| device  | npu        | cpu    | config (taken); its random' in table


def test_an_equal_run_has_nothing_to_tell(tmp_path, log_lines):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    run(tmp_path, resume=tmp_path / 'stop.pth')
    assert not [line for line in log_lines if 'differs' in line]


def test_another_workflow_is_said(tmp_path, log_lines):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    run(tmp_path, workflow=(('train', 2), ('val', 1)), resume=tmp_path / 'stop.pth')
    assert any('starts at its top' in line for line in log_lines)


@pytest.mark.parametrize('state', [
    {}, {'workflow': [['train', 1]], 'place': {'flow': 3}, 'processes': []},
    {'workflow': [['train', 1]], 'place': {}, 'processes': [{'random': {}}]},
    {'workflow': [['train', 1]], 'place': {}, 'processes': [None]}, 3])
def test_a_strange_state_is_an_error_of_ours(tmp_path, state):
    run(tmp_path, diary=Diary(3, 3, tmp_path))
    stored = torch.load(tmp_path / 'stop.pth', weights_only=True)
    torch.save({**stored, 'run_state': state}, tmp_path / 'odd.pth')
    with pytest.raises(CheckpointError, match='run_state of the checkpoint cannot be used'):
        run(tmp_path, resume=tmp_path / 'odd.pth')


def test_random_states_survive_a_file(tmp_path):
    np.random.normal()  # leaves a second value in the generator
    random.gauss(0, 1)
    torch.save(random_states(torch.device('cpu')), tmp_path / 'states.pth')

    def draw():
        return (random.gauss(0, 1), random.random(), np.random.normal(), np.random.rand(),
                torch.rand(2).tolist())

    expected = draw()
    draw()
    restore_random_states(torch.load(tmp_path / 'states.pth', weights_only=True),
                          torch.device('cpu'))
    assert draw() == expected


def test_the_generator_of_the_device_is_restored_on_the_same_kind(monkeypatch):
    seen = []
    monkeypatch.setattr(run_state, 'get_random_state', lambda device: torch.tensor([7]))
    monkeypatch.setattr(run_state, 'set_random_state', lambda *args: seen.append(args))
    device = torch.device('meta')
    states = random_states(device)
    restore_random_states(states, torch.device('cpu'))
    assert seen == []
    restore_random_states(states, device)
    assert seen == [(device, torch.tensor([7]))]


@pytest.mark.parametrize(('by_epoch', 'length', 'told'), [
    (False, 2, '3 of 2 iterations'), (False, 3, '3 of 3 iterations'),
    (True, 3, '3 of 3 epochs'), (True, 1, '3 of 1 epochs'),
    (False, 4, None), (True, 4, None)])
def test_a_resume_with_nothing_left_to_train(make_runner, make_loader, tmp_path, log_lines,
                                             by_epoch, length, told):
    first = make_runner(by_epoch)
    first.run([make_loader()], [('train', 1)])
    first.save_checkpoint(tmp_path, 'x.pth')
    runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': length})
    runner.resume(tmp_path / 'x.pth')
    runner.run([make_loader()], [('train', 1)])
    said = [line for line in log_lines if 'nothing is left to train' in line]
    assert len(said) == (told is not None)
    assert all(f'the run is finished: it has done {told}' in line for line in said)
