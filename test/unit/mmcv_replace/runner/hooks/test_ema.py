"""EMAHook in both runners: what it averages, when, and that a resumed run goes on with it."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.runner import EMAHook, Hook
from mmcv_replace.runner.checkpoints.averaged import averaged_state
from mmcv_replace.utils.errors import CheckpointError, ConfigError


class Watch(Hook):
    """Notes the weight after each step."""

    default_priority = 'ABOVE_NORMAL'

    def __init__(self):
        self.weights = []

    def before_run(self, runner):
        self.weights.append(runner.model.layer.weight.detach().clone())

    def after_train_iter(self, runner):
        self.weights.append(runner.model.layer.weight.detach().clone())


@pytest.fixture
def train(make_runner, make_loader, make_model):
    """Train the toy with an EMAHook; returns the runner, the hook and the weights on the way."""
    def run(ema=None, resume=None, checkpoints=None, **kwargs):
        model = make_model()
        kwargs = {'max_iters': 6} | kwargs
        runner = make_runner(model=model, **kwargs)
        watch = Watch()
        runner.register_training_hooks({'policy': 'fixed'}, {}, checkpoints,
                                       {'interval': 1, 'hooks': []})
        runner.register_hook(watch, 'ABOVE_NORMAL')
        if ema is not None:
            runner.register_hook_from_cfg({'type': 'EMAHook', **ema})
        if resume is not None:
            runner.resume(resume)
        runner.run([make_loader()], [('train', 1)])
        hook = next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)
        return runner, hook, watch.weights
    return run


def averaged_weight(runner, hook):
    return hook.average.put_into(runner.model.state_dict())['layer.weight']


def slow(weights, momenta):
    average = weights[0].double()
    for weight, momentum in zip(weights[1:], momenta, strict=True):
        average = (1 - momentum) * average + momentum * weight.double()
    return average.float()


def momenta(momentum=0.1, interval=1, warm_up=1, begin_iter=0, length=6):
    """Of each iteration, from the documented rule."""
    for i in range(length):
        if i < begin_iter:
            yield 1.0
        elif (i + 1) % interval:
            yield 0.0
        else:
            yield min(1 - (1 - momentum)**interval, (1 + i) / (warm_up + i))


@pytest.mark.parametrize('options', [
    {'momentum': 0.1, 'warm_up': 1}, {'momentum': 0.3, 'warm_up': 1},
    {'momentum': 0.1, 'warm_up': 1, 'interval': 2}, {'momentum': 0.1, 'warm_up': 40},
    {'momentum': 0.1, 'warm_up': 1, 'begin_iter': 3},
])
@pytest.mark.parametrize('by_epoch', [False, True])
def test_options(train, options, by_epoch):
    length = {'max_epochs': 2, 'max_iters': None} if by_epoch else {}
    runner, hook, weights = train(options, by_epoch=by_epoch, **length)
    steps = list(momenta(**options, length=len(weights) - 1))
    assert len(steps) == (8 if by_epoch else 6)
    averaged = averaged_weight(runner, hook)
    torch.testing.assert_close(averaged, slow(weights, steps))
    if options != {'momentum': 0.1, 'warm_up': 1}:
        assert not torch.allclose(averaged, slow(weights, momenta(length=len(steps))), rtol=1e-4)


def test_training_does_not_notice(train):
    _, _, plain = train(None)
    _, _, with_ema = train({'momentum': 0.5, 'update_buffers': True})
    assert all(torch.equal(a, b) for a, b in zip(plain, with_ema, strict=True))


@pytest.mark.parametrize('by_epoch', [False, True])
def test_a_resumed_run_has_the_same_average(train, tmp_path, by_epoch):
    length = {'max_epochs': 2, 'max_iters': None} if by_epoch else {}
    file = 'epoch_1.pth' if by_epoch else 'iter_3.pth'
    ema, checkpoints = {'momentum': 0.3}, {'interval': 1}
    whole = train(ema, by_epoch=by_epoch, checkpoints=checkpoints, work_dir=tmp_path, **length)
    # The toy's loader is not shuffled: an epoch-based run may begin anew at any epoch.
    resumed = train(ema, tmp_path / file, by_epoch=by_epoch, work_dir=tmp_path / 'more', **length)
    if by_epoch:
        assert torch.equal(averaged_weight(*whole[:2]), averaged_weight(*resumed[:2]))
    checkpoint = torch.load(tmp_path / file, weights_only=True)
    done = checkpoint['meta']['iter']
    steps = list(momenta(0.3, warm_up=100))
    torch.testing.assert_close(checkpoint['ema_state_dict']['layer.weight'],
                               slow(whole[2][:done + 1], steps[:done]))
    weights = [checkpoint['state_dict']['layer.weight'], *resumed[2][1:]]
    average = checkpoint['ema_state_dict']['layer.weight'].double()
    for index, weight in enumerate(weights[1:], start=done):
        momentum = min(0.3, (1 + index) / (100 + index))
        average = (1 - momentum) * average + momentum * weight.double()
    torch.testing.assert_close(averaged_weight(*resumed[:2]), average.float())


class Normed(nn.Module):
    """Predicts from a normalised input whose scale its weight sets; dropout draws numbers."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.norm = nn.BatchNorm1d(1, affine=False)
        self.drop = nn.Dropout()

    def train_step(self, data, optimizer):
        loss = (self.weight * (self.drop(self.norm(self.weight * data)) - 3)).square().mean()
        return {'loss': loss, 'log_vars': {'loss': loss.detach()}, 'num_samples': len(data)}


@pytest.fixture
def normed(make_runner):
    """A runner whose EMAHook has batches to estimate from, and the iterations when it took them."""
    def run(batches=True, **ema):
        torch.manual_seed(0)
        data = [torch.randn(8, 1) + 1 for _ in range(4)]
        runner = make_runner(model=Normed(), max_iters=4)
        runner.register_training_hooks({'policy': 'fixed'}, {}, None, {'interval': 1, 'hooks': []})
        runner.register_hook_from_cfg({'type': 'EMAHook', 'momentum': 0.5, 'warm_up': 1, **ema})
        hook = next(hook for hook in runner.hooks if isinstance(hook, EMAHook))
        taken = []

        class Batches:
            def __iter__(self):
                taken.append(runner.finished_iters)
                return iter(data)

        hook.batches = Batches() if batches else None

        class Collect(Hook):
            def after_train_iter(self, runner):
                if runner.finished_iters in (2, 4):
                    runner.collect_state()
                    with hook.applied(runner):
                        pass

        runner.register_hook(Collect(), 'LOW')
        runner.run([DataLoader(data, batch_size=None)], [('train', 1)])
        weight = hook.average.put_into(runner.model.state_dict())['weight'].item()
        with hook.applied(runner):
            mean = runner.model.norm.running_mean.item()
        seen = torch.stack(data[:ema.get('statistics_batches') or 30]).mean().item()
        return runner.model, weight * seen, mean, taken
    return run


def test_running_statistics_are_those_of_the_averaged_weights(normed):
    model, expected, mean, taken = normed()
    assert mean == pytest.approx(expected)
    assert model.norm.running_mean.item() != pytest.approx(expected, rel=0.01)
    assert taken == [2, 4]  # once for all that happens between two steps


@pytest.mark.parametrize('options', [
    {'statistics_batches': 0}, {'batches': False}, {'update_buffers': False}])
def test_running_statistics_without_an_estimate(normed, options):
    model, expected, mean, taken = normed(**options)
    assert taken == []
    assert mean != pytest.approx(expected, rel=0.01)
    assert (mean == model.norm.running_mean.item()) == ('update_buffers' in options)


def test_so_many_batches_are_taken(normed):
    _, expected, mean, _ = normed(statistics_batches=2)
    assert mean == pytest.approx(expected)
    assert mean != pytest.approx(normed()[2], rel=0.01)


def test_the_training_does_not_notice_an_estimate(normed):
    models = [normed(statistics_batches=number)[0] for number in (0, 3)]
    for key, value in models[0].state_dict().items():
        assert torch.equal(value, models[1].state_dict()[key]), key


def test_a_checkpoint_holds_both(train, tmp_path):
    runner, hook, weights = train({'momentum': 0.3}, checkpoints={'interval': 6},
                                  work_dir=tmp_path)
    checkpoint = torch.load(tmp_path / 'iter_6.pth', weights_only=True)
    assert torch.equal(checkpoint['state_dict']['layer.weight'], weights[-1])
    averaged = averaged_weight(runner, hook)
    assert torch.equal(checkpoint['ema_state_dict']['layer.weight'], averaged)
    assert averaged_state(checkpoint, 'x')['layer.weight'].equal(averaged)
    assert list(checkpoint['ema_state_dict']) == list(checkpoint['state_dict'])
    assert not averaged.equal(weights[-1])


def test_resume_from_a_checkpoint_whose_weights_are_the_average(train, tmp_path):
    runner, hook, weights = train({'momentum': 0.3}, work_dir=tmp_path)
    averaged = averaged_weight(runner, hook).clone()
    with hook.saving_average():
        runner.save_checkpoint(tmp_path, 'best.pth')
    runner.save_checkpoint(tmp_path, 'plain.pth')
    best = torch.load(tmp_path / 'best.pth', weights_only=True)
    assert torch.equal(best['state_dict']['layer.weight'], averaged)
    assert torch.equal(averaged_state(best, 'x')['layer.weight'], averaged)
    results = [train({'momentum': 0.3}, tmp_path / name, max_iters=9, work_dir=tmp_path / 'more')
               for name in ('best.pth', 'plain.pth')]
    assert torch.equal(results[0][2][0], weights[-1])
    assert all(torch.equal(a, b) for a, b in zip(results[0][2], results[1][2], strict=True))
    assert torch.equal(averaged_weight(*results[0][:2]), averaged_weight(*results[1][:2]))


def test_without_the_hook_too_the_trained_weights_go_on(train, tmp_path):
    runner, hook, weights = train({'momentum': 0.3}, work_dir=tmp_path)
    with hook.saving_average():
        runner.save_checkpoint(tmp_path, 'best.pth')
    resumed = train(None, tmp_path / 'best.pth', max_iters=9, work_dir=tmp_path / 'more')
    assert torch.equal(resumed[2][0], weights[-1])


def test_resume_from_takes_the_averages_of_a_file(train, tmp_path):
    train({'momentum': 0.3}, checkpoints={'interval': 6}, work_dir=tmp_path)
    saved = torch.load(tmp_path / 'iter_6.pth', weights_only=True)['ema_state_dict']
    runner, hook, _ = train({'momentum': 1e-9, 'resume_from': str(tmp_path / 'iter_6.pth')})
    torch.testing.assert_close(averaged_weight(runner, hook), saved['layer.weight'])
    train(None, checkpoints={'interval': 6}, work_dir=tmp_path / 'plain')
    with pytest.raises(CheckpointError, match=r'iter_6\.pth has no averaged weights'):
        train({'resume_from': str(tmp_path / 'plain/iter_6.pth')})


def test_a_run_without_averages_may_go_on_with_them(train, tmp_path, log_lines):
    train(None, checkpoints={'interval': 3}, work_dir=tmp_path)
    runner, hook, weights = train({'momentum': 0.3}, tmp_path / 'iter_3.pth')
    assert any('has no averaged weights; the average begins' in line for line in log_lines)
    steps = list(momenta(0.3, warm_up=100))[3:]
    torch.testing.assert_close(averaged_weight(runner, hook), slow(weights, steps))


@pytest.mark.parametrize(('options', 'message'), [
    ({'momentum': 0}, 'momentum=0 is the share'), ({'momentum': 1.0}, 'momentum=1.0 is the share'),
    ({'interval': 0}, 'interval=0: it must be at least 1'),
    ({'warm_up': -1}, 'warm_up=-1, begin_iter=0: neither'),
    ({'begin_iter': -2}, 'begin_iter=-2: neither'),
    ({'statistics_batches': -1}, 'statistics_batches=-1: it must not be negative'),
])
def test_bad_options(options, message):
    with pytest.raises(ConfigError, match=message):
        EMAHook(**options)


@pytest.mark.parametrize('priority', ['NORMAL', 'LOW', 'ABOVE_NORMAL', None])
def test_its_place_after_the_checkpoints_changes_nothing(train, tmp_path, priority):
    options = {'momentum': 0.1, 'warm_up': 1} | ({} if priority is None else
                                                 {'priority': priority})
    runner, hook, weights = train(options, checkpoints={'interval': 3}, work_dir=tmp_path)
    averaged = averaged_weight(runner, hook)
    torch.testing.assert_close(averaged, slow(weights, momenta()))
    saved = averaged_state(torch.load(tmp_path / 'iter_6.pth', weights_only=True), 'x')
    assert torch.equal(saved['layer.weight'], averaged)


def test_a_place_before_the_step_warns(train, log_lines):
    train({'priority': 'HIGH'})
    assert 'EMAHook with priority=30 runs before the step' in ''.join(log_lines)


def test_two_averages_are_one_too_many(make_runner, make_loader):
    runner = make_runner(max_iters=1)
    for momentum in (0.1, 0.2):
        runner.register_hook(EMAHook(momentum=momentum))
    with pytest.raises(ConfigError, match='more than one EMAHook'):
        runner.run([make_loader()], [('train', 1)])


def test_warm_up_of_zero_limits_nothing():
    assert EMAHook(momentum=0.9, warm_up=0)._momentum_at(0) == pytest.approx(0.9)
    assert np.allclose([EMAHook(warm_up=100, momentum=0.5)._momentum_at(i) for i in (0, 1, 500)],
                       [1 / 100, 2 / 101, 0.5])
