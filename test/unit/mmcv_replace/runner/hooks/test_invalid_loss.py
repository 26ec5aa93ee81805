"""Numbers that are not finite: the run stops, or the step is left out as if it had not been."""
import math

import pytest
import torch
from torch import nn

from mmcv_replace.parallel import DataContainer
from mmcv_replace.runner import CheckInvalidLossHook, EMAHook, Hook, IterBasedRunner, Precision
from mmcv_replace.runner.hooks import invalid_loss
from mmcv_replace.runner.hooks.invalid_loss import files_of
from mmcv_replace.runner.precision import nonfinite_step
from mmcv_replace.utils.errors import ArgumentError, ConfigError, NonFiniteLossError


class Spoil(torch.autograd.Function):
    """Passes its input on; its gradient is `value`."""

    @staticmethod
    def forward(ctx, x, value):
        ctx.value = value
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return torch.full_like(grad, ctx.value), None


class Failing(nn.Module):
    """In the iterations `at` its loss, or with `in_gradient` its gradient, becomes `value`."""

    def __init__(self, value, at=(3,), in_gradient=False):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.norm = nn.BatchNorm1d(2)
        self.value, self.at, self.in_gradient = value, at, in_gradient
        self.calls = 0

    def train_step(self, data, optimizer):
        self.calls += 1
        bad = self.calls in self.at
        spoiled = bad and not self.in_gradient
        x = self.norm(data[0] * self.value if spoiled else data[0])
        weight = Spoil.apply(self.weight, self.value) if bad and self.in_gradient else self.weight
        loss = weight.sum() * (self.value if spoiled else 1.0) + x.square().mean()
        return {'loss': loss, 'num_samples': 1,
                'log_vars': {'part': torch.tensor(2.5), 'loss': loss.detach()}}


class Diary(Hook):
    """The whole state after each iteration."""

    default_priority = 'LOWEST'

    def __init__(self):
        self.states = []

    def after_train_iter(self, runner):
        state = {**runner.model.state_dict(), 'momentum': next(iter(
            runner.optimizer.state.values()), {}).get('momentum_buffer', torch.zeros(1))}
        self.states.append({key: value.clone() for key, value in state.items()})


def same(a, b):
    return all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture
def train(make_runner, make_loader):
    def run(model, interval=50, checkpoints=None, optimizer_config=None, extra=(), precision=None,
            fused=False, max_iters=6, **nonfinite):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=fused)
        runner = make_runner(model=model, max_iters=max_iters, optimizer=optimizer,
                             precision=precision)
        runner.register_training_hooks(
            {'policy': 'fixed'}, optimizer_config or {}, checkpoints,
            {'interval': interval, 'hooks': []}, nonfinite=nonfinite)
        diary = Diary()
        for hook in (*extra, diary):
            runner.register_hook(hook, hook.default_priority)
        runner.diary = diary
        runner.run([make_loader(8)], [('train', 1)])
        return runner
    return run


@pytest.fixture
def asynchronous(monkeypatch):
    """Let the CPU count as a device whose results the host has to wait for."""
    for module in (invalid_loss, nonfinite_step):
        monkeypatch.setattr(module, 'is_asynchronous', lambda device: True)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_stops_at_once_and_tells_all(train, tmp_path, value):
    model = Failing(value)
    with pytest.raises(NonFiniteLossError) as error:
        train(model, checkpoints={'interval': 1})
    message = str(error.value)
    assert message.startswith('iteration 3: the loss is not finite (part: 2.5, loss: ')
    assert f'last checkpoint is {tmp_path / "work" / "iter_2.pth"}' in message
    assert "nonfinite.action='skip'" in message
    assert not (tmp_path / 'work' / 'iter_3.pth').exists()
    before = torch.load(tmp_path / 'work' / 'iter_2.pth', weights_only=True)['state_dict']
    assert same(before, model.state_dict())  # the step was not taken


def test_gradients_that_are_not_finite_stop_it_too(train):
    model = Failing(math.inf, in_gradient=True)
    with pytest.raises(NonFiniteLossError, match='iteration 3: the gradients are not finite, the '
                                                 r'loss is \(part: 2.5, loss: '):
        train(model)
    assert torch.isfinite(model.weight).all()


def test_without_a_checkpoint(train):
    with pytest.raises(NonFiniteLossError, match='No checkpoint has been written'):
        train(Failing(math.nan))


@pytest.mark.parametrize(('interval', 'calls'), [(2, 4), (3, 3), (50, 6)])
@pytest.mark.parametrize('in_gradient', [False, True])
def test_asynchronous_devices_are_asked_at_the_interval(train, asynchronous, interval, calls,
                                                        in_gradient):
    model = Failing(math.nan, in_gradient=in_gradient)
    with pytest.raises(NonFiniteLossError, match='^iteration 3: the '
                       + ('gradients are' if in_gradient else 'loss is')):
        train(model, interval)
    assert model.calls == calls
    assert not torch.isfinite(model.weight).all()  # the step was taken


def test_asynchronous_devices_are_asked_each_time_if_told_to(train, asynchronous):
    model = Failing(math.nan)
    with pytest.raises(NonFiniteLossError, match='^iteration 3: '):
        train(model, check='step')
    assert model.calls == 3
    assert torch.isfinite(model.weight).all()


def test_no_checkpoint_of_broken_weights(train, asynchronous, tmp_path):
    with pytest.raises(NonFiniteLossError, match='weight is not finite, so no checkpoint'):
        train(Failing(math.nan), checkpoints={'interval': 1})
    assert (tmp_path / 'work' / 'iter_2.pth').exists()
    assert not (tmp_path / 'work' / 'iter_3.pth').exists()


def test_fine_losses_pass(train, tmp_path):
    train(Failing(1.0), checkpoints={'interval': 3})
    assert (tmp_path / 'work' / 'iter_6.pth').exists()
    assert not list((tmp_path / 'work').glob('nonfinite*'))


@pytest.mark.parametrize('device', ['synchronous', 'waits', 'fused'])
@pytest.mark.parametrize('in_gradient', [False, True])
@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_skip_leaves_out_the_whole_step(train, request, log_lines, device, in_gradient, value):
    if device != 'synchronous':
        request.getfixturevalue('asynchronous')
    model = Failing(value, at=(3, 5), in_gradient=in_gradient)
    runner = train(model, action='skip', fused=device == 'fused')
    states = runner.diary.states
    assert len(states) == 6
    for index in (2, 4):  # weights, running statistics, counters, momentum
        assert same(states[index - 1], states[index])
    for index in (1, 3, 5):
        assert not torch.equal(states[index - 1]['weight'], states[index]['weight'])
    assert '2 optimizer steps skipped so far: their gradients were not finite' in log_lines
    reports = [line for line in log_lines if 'the step is left out' in line]
    assert [line.partition(':')[0] for line in reports] == ['iteration 3', 'iteration 5']
    # One batch is kept by default; later it would have to be loaded again.
    told = 'replay it' if device == 'synchronous' else 'its batch is gone'
    assert [told in line for line in reports] == [True, False]


def test_a_skipped_first_step_of_a_fused_optimizer(train, asynchronous):
    runner = train(Failing(math.nan, at=(1,)), action='skip', fused=True)
    plain = train(Failing(math.nan, at=(1,)), action='skip')
    for ours, theirs in zip(runner.diary.states, plain.diary.states, strict=True):
        for key, value in theirs.items():
            torch.testing.assert_close(ours[key], value)


@pytest.mark.parametrize('action', ['stop', 'skip'])
def test_an_overflow_in_low_precision_leaves_the_running_statistics(train, asynchronous, action):
    """Steps are left out in search of the loss scale; what they did to the norms is too."""
    precision = Precision('cpu', 'O1', 'float16')
    runner = train(Failing(math.inf, at=(1, 3)), action=action, precision=precision)
    states = runner.diary.states
    assert torch.equal(states[0]['norm.running_mean'], torch.zeros(2))
    assert same(states[1], states[2])
    assert not torch.equal(states[2]['norm.running_mean'], states[3]['norm.running_mean'])


def test_statistics_that_are_not_finite_are_not_saved(train, tmp_path):
    model = Failing(1.0)
    model.norm.running_var[1] = math.nan
    with pytest.raises(NonFiniteLossError, match=r'norm\.running_var is not finite, so no check'):
        train(model, checkpoints={'interval': 1})
    assert not list((tmp_path / 'work').glob('iter_*'))


def test_a_mask_of_infinities_is_saved(train, tmp_path):
    model = Failing(1.0)
    model.register_buffer('mask', torch.tensor([0.0, -math.inf]))
    train(model, checkpoints={'interval': 6})
    stored = torch.load(tmp_path / 'work' / 'iter_6.pth', weights_only=True)['state_dict']
    assert torch.equal(stored['mask'], model.mask)


@pytest.mark.parametrize('action', ['stop', 'skip'])
def test_a_run_without_trouble_is_the_same_bit_for_bit(train, action, asynchronous):
    plain = train(Failing(1.0))
    guarded = train(Failing(1.0), action=action, check='step')
    assert all(map(same, plain.diary.states, guarded.diary.states))


def test_a_group_of_accumulated_batches_is_left_out_as_one(train, log_lines):
    runner = train(Failing(math.nan, at=(3,)), action='skip',
                   optimizer_config={'cumulative_iters': 2})
    states = runner.diary.states
    assert same(states[1], states[3])
    assert not torch.equal(states[3]['weight'], states[5]['weight'])
    report, = [line for line in log_lines if 'the step is left out' in line]
    assert report.startswith('iteration 3: the loss')


def test_clipping(train):
    runner = train(Failing(math.nan), action='skip',
                   optimizer_config={'grad_clip': {'max_norm': 0.1}})
    assert same(runner.diary.states[1], runner.diary.states[2])
    with pytest.raises(NonFiniteLossError, match='iteration 3: the gradients'):
        train(Failing(math.nan, in_gradient=True),
              optimizer_config={'grad_clip': {'max_norm': 0.1}})


def test_the_average_stays_finite(train):
    ema = EMAHook(momentum=0.5, warm_up=1)
    runner = train(Failing(math.nan), action='skip', extra=[ema])
    averaged = ema.average.put_into(runner.model.state_dict())
    assert all(torch.isfinite(value).all() for value in averaged.values())


def test_too_many_in_a_row(train):
    with pytest.raises(NonFiniteLossError, match='gradients of 3 steps in a row were not finite'):
        train(Failing(math.nan, at=(2, 3, 4)), interval=2, action='skip', max_skipped=3)
    train(Failing(math.nan, at=(2, 3, 5, 6)), interval=1, action='skip', max_skipped=3)


@pytest.mark.parametrize('on_device', [False, True])
def test_where_the_loss_is_scaled_only_a_bad_loss_is_reported(train, request, log_lines, on_device):
    if on_device:
        request.getfixturevalue('asynchronous')
    precision = Precision('cpu', 'O1', 'float16')
    train(Failing(math.inf, at=(2,), in_gradient=True), precision=precision)
    assert not any('not finite' in line for line in log_lines)
    assert any('1 optimizer steps skipped so far: their gradients overflowed' in line
               for line in log_lines)
    model = Failing(math.nan, at=(4,))
    train(model, precision=Precision('cpu', 'O1', 'float16'))
    report, = [line for line in log_lines if 'is left out' in line]
    assert report.startswith('iteration 4: the loss is not finite')
    assert torch.isfinite(model.weight).all()


def test_its_files_are_named(train, tmp_path):
    class Described(Failing):
        def train_step(self, data, optimizer):
            return super().train_step([data['x']], optimizer)

    class Samples:
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return {'x': torch.randn(2), 'name': f'a {index}.jpg'}

    def join(samples):
        metas = [{'filename': sample['name']} for sample in samples]
        return {'x': torch.stack([sample['x'] for sample in samples]),
                'img_metas': DataContainer([metas], cpu_only=True)}

    model = Described(math.nan, at=(2,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    runner = IterBasedRunner(model, optimizer=optimizer, max_iters=3, work_dir=tmp_path)
    runner.register_training_hooks(None, {})
    loader = torch.utils.data.DataLoader(Samples(), 2, collate_fn=join)
    with pytest.raises(NonFiniteLossError, match=r'its files: a 2\.jpg, a 3\.jpg; replay it: python'
                                                 r' tools/replay_batch\.py .*nonfinite_iter_2_'):
        runner.run([loader], [('train', 1)])


def test_files_of_other_batches():
    assert files_of((torch.zeros(1),)) == []
    assert files_of({'img': torch.zeros(1)}) == []
    assert files_of({'img_metas': [{'ori_filename': 'b.png'}, {'filename': None}]}) == ['b.png']


@pytest.mark.parametrize(('options', 'message'), [
    ({'action': 'ignore'}, "action='ignore' does not fit, it takes 'stop' . 'skip'"),
    ({'check': 'epoch'}, "check='epoch' does not fit, it takes 'log' . 'step'"),
    ({'max_skipped': 0}, 'max_skipped=0 does not fit, it takes int from 1 on'),
    ({'acton': 'skip'}, "'acton'.*did you mean 'action'"),
])
def test_bad_options(train, options, message):
    with pytest.raises(ArgumentError, match=message):
        train(Failing(1.0), **options)


def test_options_that_are_no_dict(make_runner):
    with pytest.raises(ConfigError, match="nonfinite is a dict, a hook or None, not 'skip'"):
        make_runner().register_training_hooks(None, {}, nonfinite='skip')


def test_runs_behind_the_step_and_ahead_of_the_rest(make_runner):
    runner = make_runner()
    runner.register_training_hooks(None, {}, {'interval': 1})
    kinds = [type(hook).__name__ for hook in runner.hooks]
    assert kinds[:3] == ['OptimizerHook', 'CheckInvalidLossHook', 'CheckpointHook']


def test_named_in_custom_hooks_as_before(make_runner, make_loader):
    runner = make_runner(model=Failing(math.nan))
    runner.register_training_hooks(None, {})
    runner.register_hook_from_cfg({'type': 'CheckInvalidLossHook', 'interval': 20})
    assert isinstance(runner.hooks[2], CheckInvalidLossHook)
    with pytest.raises(NonFiniteLossError, match='iteration 3'):
        runner.run([make_loader(8)], [('train', 1)])
