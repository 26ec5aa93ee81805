"""mmcv's hooks for mixed precision, with runners that were built without it."""
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import (
    Fp16OptimizerHook,
    GradientCumulativeFp16OptimizerHook,
    GradientCumulativeOptimizerHook,
    IterBasedRunner,
    Precision,
    auto_fp16,
    precision_from_config,
)
from mmcv_replace.runner.hooks import fp16_optimizer
from mmcv_replace.runner.precision import without_fp16


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.fp16_enabled = False
        self.layer = nn.Linear(3, 2)
        self.seen = []

    @auto_fp16(apply_to=('x',))
    def forward(self, x):
        out = self.layer(x)
        self.seen.append((x.dtype, out.dtype))
        return out

    def train_step(self, data, optimizer):
        return {'loss': self(data).float().square().mean(), 'log_vars': {}, 'num_samples': 2}


@pytest.fixture
def scaled(monkeypatch):
    """Precision in float16 with a loss scale, as on an accelerator."""
    def make(device, level, loss_scale):
        return Precision(device, level, 'float16', loss_scale)
    monkeypatch.setattr(fp16_optimizer, 'Precision', make)


def run(hook, wrap=MMDataParallel, iters=4, batch_size=2, resume=None):
    model = Model()
    runner = IterBasedRunner(wrap(model), max_iters=iters, optimizer=torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9))
    runner.register_optimizer_hook(hook)
    if resume is not None:
        runner.resume(resume)
    data = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    runner.run([DataLoader(data, batch_size=batch_size)], [('train', 1)])
    return runner


@pytest.mark.parametrize('wrap', [MMDataParallel, lambda model: model])
def test_turns_on_the_precision_of_the_device(wrap):
    hook = Fp16OptimizerHook()
    runner = run(hook, wrap)
    assert runner.precision.opt_level == 'O1'
    assert {out for _, out in runner.unwrapped_model.seen} == {torch.bfloat16}
    assert hook.loss_scaler is None  # bfloat16 needs none


@pytest.mark.parametrize(('loss_scale', 'scale'), [
    (512., 512.), (8., 8.), ('dynamic', 65536.),
    (dict(init_scale=16., growth_interval=2, mode='dynamic'), 64.)])
def test_scale_of_the_loss(scaled, loss_scale, scale):
    hook = Fp16OptimizerHook(loss_scale=loss_scale)
    runner = run(hook)
    assert hook.loss_scaler.get_scale() == scale
    assert runner.precision.scaler is hook.loss_scaler


def test_a_run_in_mixed_precision_keeps_its_own():
    runner = IterBasedRunner(Model(), max_iters=1, precision=Precision('cpu', 'O1', 'float16', 4.))
    hook = Fp16OptimizerHook()
    hook.before_run(runner)
    assert hook.loss_scaler.get_scale() == 4.


def test_the_scale_resumes_from_both_places(scaled, tmp_path):
    options = dict(loss_scale=dict(init_scale=16., growth_interval=2))
    whole = run(Fp16OptimizerHook(**options), iters=6, batch_size=24)
    path = run(Fp16OptimizerHook(**options), iters=3, batch_size=24).save_checkpoint(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint['meta']['fp16']['loss_scaler'] == checkpoint['scaler']
    assert checkpoint['scaler']['scale'] == 32.
    of_mmcv = {key: value for key, value in checkpoint.items() if key != 'scaler'}
    torch.save(of_mmcv, tmp_path / 'mmcv.pth')
    for file in (path, tmp_path / 'mmcv.pth'):
        resumed = run(Fp16OptimizerHook(**options), iters=6, batch_size=24, resume=file)
        assert resumed.precision.state_dict() == whole.precision.state_dict()
        assert torch.equal(resumed.unwrapped_model.layer.weight, whole.unwrapped_model.layer.weight)


def test_the_state_of_mmcv_s_own_scaler_is_taken(scaled, tmp_path):
    path = run(Fp16OptimizerHook(), iters=1).save_checkpoint(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint['scaler']
    checkpoint['meta']['fp16']['loss_scaler'] = dict(cur_scale=128, cur_iter=3, mode='dynamic')
    torch.save(checkpoint, tmp_path / 'old.pth')
    hook = Fp16OptimizerHook(loss_scale='dynamic')
    run(hook, iters=2, resume=tmp_path / 'old.pth')
    assert hook.loss_scaler.get_scale() == 128.


@pytest.mark.parametrize('iters', [6, 8])
def test_cumulative_steps_are_those_of_larger_batches(scaled, iters):
    """The last step of 8 iterations in groups of 3 has two."""
    hook = GradientCumulativeFp16OptimizerHook(
        grad_clip=dict(max_norm=0.2), cumulative_iters=3, loss_scale=512.)
    assert isinstance(hook, GradientCumulativeOptimizerHook)
    assert isinstance(hook, Fp16OptimizerHook)
    ours = run(hook, iters=iters)
    whole = run(Fp16OptimizerHook(grad_clip=dict(max_norm=0.2)), iters=2, batch_size=6)
    if iters == 6:
        torch.testing.assert_close(ours.unwrapped_model.layer.weight,
                                   whole.unwrapped_model.layer.weight, atol=1e-3, rtol=1e-3)
    assert not torch.equal(ours.unwrapped_model.layer.weight, Model().layer.weight)


def test_copies_between_precisions():
    low, copies = nn.Linear(2, 1).half(), [nn.Parameter(torch.zeros(1, 2)),
                                           nn.Parameter(torch.ones(1))]
    low.weight.grad = torch.full((1, 2), 0.5, dtype=torch.half)
    hook = Fp16OptimizerHook()
    hook.copy_grads_to_fp32(low, copies)
    assert torch.equal(copies[0].grad, torch.full((1, 2), 0.5))
    assert copies[1].grad is None
    hook.copy_params_to_fp16(low, copies)
    assert torch.equal(low.weight, torch.zeros(1, 2, dtype=torch.half))
    assert low.bias.dtype is torch.half
    assert low.bias == 1


def test_a_config_with_the_cumulative_hook():
    options = dict(type='GradientCumulativeFp16OptimizerHook', cumulative_iters=2, loss_scale=4.,
                   coalesce=False, grad_clip=None)
    assert precision_from_config(dict(optimizer_config=options), 'cpu').enabled
    assert without_fp16(options) == dict(type='GradientCumulativeOptimizerHook',
                                         cumulative_iters=2, grad_clip=None)


@pytest.mark.parametrize('wrong', ['often', -1., 0])
def test_scales_of_no_use(wrong):
    with pytest.raises(ValueError, match='loss_scale'):
        Fp16OptimizerHook(loss_scale=wrong)
