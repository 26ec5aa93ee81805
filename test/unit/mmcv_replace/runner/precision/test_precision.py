"""Mixed precision: parsing, autocast, loss scaling, master weights, gradient accumulation."""
import logging

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import IterBasedRunner, OptimizerHook, Precision, precision_from_config
from mmcv_replace.runner.hooks import Hook
from mmcv_replace.runner.precision import without_fp16
from mmcv_replace.utils.config.config_dict import ConfigDict, assign
from mmcv_replace.utils.errors import ConfigError, NonFiniteLossError


class Model(nn.Module):
    """A convolution, a norm, a linear layer; notes the types it computes in."""

    def __init__(self, overflow_at=()):
        torch.manual_seed(0)
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)
        self.overflow_at = overflow_at
        self.calls = 0
        self.types = []

    def forward(self, x):
        out = self.bn(self.conv(x))
        self.types.append(out.dtype)
        return self.fc(out.mean((2, 3)))

    def train_step(self, data, optimizer):
        loss = self(data).float().square().mean()
        if self.calls in self.overflow_at:
            loss = loss * 1e38 * 1e38
        self.calls += 1
        return dict(loss=loss, log_vars={'loss': loss}, num_samples=len(data))


def run(precision, model=None, iters=4, optimizer_hook=None, work_dir=None, extra=(), resume=None,
        fused=False):
    model = model or Model()
    torch.manual_seed(1)
    data = torch.randn(4, 3, 8, 8)
    precision.cast(model)
    wrapped = MMDataParallel(model, autocast=precision.autocast)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=fused)
    precision.attach(wrapped, optimizer)
    runner = IterBasedRunner(wrapped, optimizer=optimizer, max_iters=iters, precision=precision,
                             work_dir=work_dir)
    runner.register_training_hooks(None, optimizer_hook or OptimizerHook(),
                                   log_config=dict(interval=1))
    for hook in extra:
        runner.register_hook(hook, 'LOWEST')
    if resume:
        runner.resume(resume)
    runner.run([DataLoader(data, batch_size=4)], [('train', 1)])
    return model, runner


@pytest.mark.parametrize(('cfg', 'level', 'dtype', 'scaled'), [
    ({}, 'O0', None, False),
    (dict(fp16=None, bf16=False), 'O0', None, False),
    (dict(fp16=dict(opt_level='O1')), 'O1', torch.bfloat16, False),  # the CPU's own type
    (dict(fp16=dict(dtype='float16')), 'O1', torch.float16, True),
    (dict(fp16=dict(opt_level='O2', dtype='float16', loss_scale=128.)), 'O2', torch.float16, True),
    (dict(bf16=True), 'O1', torch.bfloat16, False),
    (dict(bf16=dict(opt_level='O2')), 'O2', torch.bfloat16, False),
    (dict(fp16={}, optimizer_config=dict(type='Fp16OptimizerHook', loss_scale=512.)),
     'O1', torch.bfloat16, False),
    (dict(optimizer_config=dict(type='Fp16OptimizerHook')), 'O1', torch.bfloat16, False),
    (dict(optimizer_config=dict(grad_clip=None)), 'O0', None, False),
])
def test_what_a_config_asks_for(cfg, level, dtype, scaled):
    precision = precision_from_config(cfg, 'cpu')
    assert precision.opt_level == level
    assert precision.enabled == (level != 'O0')
    assert precision.scales_loss == scaled
    if dtype is not None:
        assert precision.dtype is dtype


@pytest.mark.parametrize(('cfg', 'message'), [
    (dict(fp16={}, bf16={}), 'sets fp16 and bf16'),
    (dict(fp16=dict(los_scale=1)), r"fp16\.los_scale is no setting .*'fp16\.loss_scale'"),
    (dict(fp16=dict(opt_level='O3')), "opt_level='O3' does not fit, it takes 'O0' . 'O1'"),
    (dict(fp16=dict(dtype='float8')), "dtype='float8' does not fit, it takes 'float16' . 'bf"),
    (dict(fp16=dict(loss_scale='big')), "loss_scale='big' does not fit, it takes 'dynamic' . fl"),
    (dict(fp16=dict(loss_scale=0)), 'loss_scale=0'),
    (dict(fp16=dict(max_skipped=0)), 'max_skipped=0'),
])
def test_what_a_config_may_not_ask_for(cfg, message):
    with pytest.raises(ConfigError, match=message):
        precision_from_config(cfg, 'cpu')


@pytest.mark.parametrize('options', [
    dict(opt_level='O3'), dict(dtype='float8'), dict(loss_scale='big'), dict(max_skipped=0)])
def test_settings_from_code_are_checked_too(options):
    (name, value), = options.items()
    with pytest.raises(ConfigError, match=f'Precision.{name}={value!r} does not fit, it takes'):
        Precision('cpu', **{'opt_level': 'O1', **options})


def test_the_reference_hook_becomes_the_ordinary_one():
    options = dict(type='Fp16OptimizerHook', loss_scale=512., coalesce=True, grad_clip=None)
    assert without_fp16(options) == dict(grad_clip=None)
    assert without_fp16(dict(type='Mine', loss_scale=1)) == dict(type='Mine', loss_scale=1)
    config = ConfigDict()
    assign(config, 'grad_clip', None, 'configs/mine.py')
    assert without_fp16(config).origin('grad_clip') == 'configs/mine.py'


@pytest.mark.parametrize(('level', 'computed', 'weights'), [
    ('O0', torch.float32, torch.float32),
    ('O1', torch.bfloat16, torch.float32),
    ('O2', torch.bfloat16, torch.bfloat16),
])
def test_types_at_each_level(level, computed, weights):
    model, _ = run(Precision('cpu', level, 'bfloat16'))
    assert set(model.types) == {computed}
    assert model.conv.weight.dtype is model.fc.bias.dtype is weights
    assert model.bn.weight.dtype is model.bn.running_mean.dtype is torch.float32


def plain_weights(iters=4):
    """The same training in float32, written by hand."""
    model = Model()
    torch.manual_seed(1)
    data = torch.randn(4, 3, 8, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(iters):
        optimizer.zero_grad()
        model(data).square().mean().backward()
        optimizer.step()
    return model.state_dict()


@pytest.mark.parametrize(('level', 'dtype'), [('O1', 'bfloat16'), ('O2', 'bfloat16'),
                                              ('O1', 'float16'), ('O2', 'float16')])
def test_training_stays_near_float32(level, dtype):
    model, runner = run(Precision('cpu', level, dtype))
    for key, value in plain_weights().items():
        torch.testing.assert_close(model.state_dict()[key].float(), value.float(), atol=2e-2,
                                   rtol=2e-2, msg=key)
    assert runner.outputs['loss'].item() < 0.5


def test_small_updates_survive_in_the_masters():
    """1 + 2^-10 is 1 in bfloat16: without masters the weight would never move."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    precision = Precision('cpu', 'O2', 'bfloat16')
    precision.cast(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=2**-10)
    precision.attach(model, optimizer)
    for _ in range(16):
        optimizer.zero_grad()
        precision.masters.zero_grad()
        precision.backward(-model(torch.ones(1, 1, dtype=torch.bfloat16)).sum())
        precision.step(optimizer)
    assert model.weight.item() == 1 + 2**-6
    assert optimizer.param_groups[0]['params'][0].dtype is torch.float32


def test_masters_keep_their_addresses():
    precision = Precision('cpu', 'O2', 'bfloat16')
    addresses = []

    class Note(Hook):
        def after_train_iter(self, runner):
            addresses.append([p.data_ptr() for p in runner.optimizer.param_groups[0]['params']])

    run(precision, extra=[Note()])
    assert all(a == addresses[0] for a in addresses)


def test_a_static_scale_never_changes_and_a_dynamic_one_backs_off():
    for loss_scale, expected in ((128.0, 128.0), ('dynamic', 2.0**15)):
        precision = Precision('cpu', 'O1', 'float16', loss_scale)
        run(precision, Model(overflow_at=(1,)))
        assert precision.scaler.get_scale() == expected


def test_scaler_arguments_are_passed_on():
    precision = Precision('cpu', 'O1', 'float16', dict(init_scale=4., mode='dynamic'))
    assert precision.scaler.get_scale() == 4


def test_an_overflow_step_is_skipped_and_counted(caplog):
    class Note(Hook):
        weights = []

        def after_train_iter(self, runner):
            self.weights.append(runner.model.module.conv.weight.detach().clone())

    note = Note()
    logging.getLogger('mmseg').propagate = True
    with caplog.at_level(logging.INFO, 'mmseg'):
        run(Precision('cpu', 'O1', 'float16'), Model(overflow_at=(1,)), extra=[note])
    assert torch.equal(note.weights[0], note.weights[1])
    assert not torch.equal(note.weights[1], note.weights[2])
    assert '1 optimizer steps skipped so far' in caplog.text


@pytest.mark.parametrize('clip', [None, dict(max_norm=1e3)])
@pytest.mark.parametrize('overflow_at', [(0,), (0, 1), (1, 3)])
def test_fused_optimizers_skip_as_the_others_do(overflow_at, clip):
    """Also the first step, in which they make state that a skipped step does not fill."""
    weights = []
    for fused in (True, False):
        model, runner = run(Precision('cpu', 'O1', 'float16'), Model(overflow_at), fused=fused,
                            optimizer_hook=OptimizerHook(clip))
        assert runner.precision._skipped == len(overflow_at)
        weights.append(model.state_dict())
    torch.testing.assert_close(weights[0], weights[1])


def test_overflows_without_end_stop_the_run():
    with pytest.raises(NonFiniteLossError, match='gradients of 3 steps in a row overflowed'):
        run(Precision('cpu', 'O1', 'float16', max_skipped=3), Model(overflow_at=range(1, 9)),
            iters=8)


def test_a_good_step_ends_the_row():
    _, runner = run(Precision('cpu', 'O1', 'float16', max_skipped=3),
                    Model(overflow_at=(1, 2, 4, 5)), iters=8)
    assert runner.iter == 8


@pytest.mark.parametrize('level', ['O1', 'O2'])
def test_clipping_sees_the_true_gradients(level):
    norms = []

    class Note(Hook):
        def after_train_iter(self, runner):
            norms.append(float(runner.log_buffer.val_history['grad_norm'][-1]))

    model = Model()
    start = {k: v.clone() for k, v in model.state_dict().items()}
    for precision in (Precision('cpu'), Precision('cpu', level, 'float16', 1024.)):
        model.load_state_dict(start)
        hook = OptimizerHook(grad_clip=dict(max_norm=1e-3))
        run(precision, model, iters=1, optimizer_hook=hook, extra=[Note()])
        model.float()
    assert norms[1] == pytest.approx(norms[0], rel=0.02)


@pytest.mark.parametrize('level', ['O1', 'O2'])
def test_resume_restores_scale_and_masters(tmp_path, level):
    whole, _ = run(Precision('cpu', level, 'float16'), Model(overflow_at=(1,)), iters=6)
    _, runner = run(Precision('cpu', level, 'float16'), Model(overflow_at=(1,)), iters=3,
                    work_dir=tmp_path)
    path = runner.save_checkpoint(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint['scaler']['scale'] == 2.0**15
    assert {v.dtype for v in checkpoint['state_dict'].values()} == {torch.float32, torch.int64}
    resumed, runner = run(Precision('cpu', level, 'float16'), Model(), iters=6, work_dir=tmp_path,
                          resume=path)
    for key, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], value), key


def test_a_scale_of_another_scaler_is_taken_over():
    """The NPU's scaler keeps a setting that a CUDA checkpoint lacks."""
    class Scaler(torch.amp.GradScaler):
        def state_dict(self):
            return {**super().state_dict(), 'dynamic': True}

        def load_state_dict(self, state):
            assert state.pop('dynamic')
            super().load_state_dict(state)

    precision = Precision('cpu', 'O1', 'float16')
    precision.scaler = Scaler('cpu')
    precision.load_state_dict(torch.amp.GradScaler('cpu', init_scale=8.).state_dict())
    assert precision.scaler.get_scale() == 8


def test_accumulated_gradients_make_the_step_of_the_whole_batch():
    torch.manual_seed(0)
    data = torch.randn(8, 3)
    start = nn.Linear(3, 1)
    expected = nn.Linear(3, 1)
    expected.load_state_dict(start.state_dict())
    # Five iterations in groups of two: the last group has one.
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1)
    for group in ((0, 1), (2, 3), (0,)):
        optimizer.zero_grad()
        torch.stack([expected(data[2 * i:2 * i + 2]).square().mean() for i in group]) \
            .mean().backward()
        optimizer.step()

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = start

        def train_step(self, batch, optimizer):
            return dict(loss=self.layer(batch).square().mean(), log_vars={}, num_samples=2)

    model = Wrapped()
    runner = IterBasedRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
                             max_iters=5)
    runner.register_optimizer_hook(dict(type='GradientCumulativeOptimizerHook',
                                        cumulative_iters=2))
    runner.run([DataLoader(data, batch_size=2)], [('train', 1)])
    torch.testing.assert_close(start.weight, expected.weight)


def test_cumulative_iters_must_be_positive():
    with pytest.raises(ConfigError, match='cumulative_iters=0'):
        OptimizerHook(cumulative_iters=0)
