import pickle

import pytest
import torch
from torch import nn

from mmcv_replace.runner import GradientCumulativeOptimizerHook, Hook, OptimizerHook
from mmcv_replace.utils.errors import ConfigError


def run_with(make_runner, make_loader, **kwargs):
    """Gradient norm as later hooks see it, and what the buffer holds."""
    seen = []

    class Look(Hook):
        def after_train_iter(self, runner):
            grads = [p.grad.flatten() for p in runner.model.parameters()]
            seen.append((torch.cat(grads).norm().item(), dict(runner.log_buffer.val_history)))

    runner = make_runner(max_iters=1)
    runner.register_optimizer_hook(kwargs)
    runner.register_hook(Look())
    runner.run([make_loader()], [('train', 1)])
    return seen[0]


def test_clips_and_logs_the_norm_before_it(make_runner, make_loader):
    norm, history = run_with(make_runner, make_loader)
    assert 'grad_norm' not in history
    clipped, history = run_with(make_runner, make_loader, grad_clip={'max_norm': 0.1})
    assert clipped == pytest.approx(0.1, rel=1e-4)
    (logged,) = history['grad_norm']
    assert isinstance(logged, torch.Tensor)  # the host does not wait for it
    assert logged.item() == pytest.approx(norm)


def test_options_of_the_clipping(make_runner, make_loader):
    _, euclidean = run_with(make_runner, make_loader, grad_clip={'max_norm': 1})
    _, largest = run_with(make_runner, make_loader, grad_clip={'max_norm': 1, 'norm_type': 'inf'})
    assert largest['grad_norm'][0] < euclidean['grad_norm'][0]


def test_without_gradients_nothing_is_clipped():
    assert OptimizerHook({'max_norm': 1}).clip_grads([torch.nn.Parameter(torch.ones(1))]) is None


def test_old_gradients_are_gone_before_the_forward_pass(make_runner, make_loader):
    seen = []

    class Look(Hook):
        def before_train_iter(self, runner):
            seen.append([p.grad for p in runner.model.parameters()])

    runner = make_runner(max_iters=2)
    runner.register_optimizer_hook({})
    runner.register_hook(Look())
    runner.run([make_loader()], [('train', 1)])
    assert seen == [[None, None]] * 2


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.forgotten, self.frozen = (nn.Linear(2, 1) for _ in range(3))
        self.frozen.requires_grad_(False)

    def train_step(self, data, optimizer):
        return {'loss': self.used(data[0]).square().mean()}


def test_parameters_without_a_part_in_the_loss_are_named(make_runner, log_lines):
    model = TwoLayers()
    runner = make_runner(model=model)
    hook = OptimizerHook({'max_norm': 1}, detect_anomalous_params=True)
    runner.outputs = model.train_step([torch.ones(2, 2)], None)
    hook.after_train_iter(runner)
    assert log_lines == [f'the loss does not depend on forgotten.{name}, of shape {shape}'
                         for name, shape in (('weight', [1, 2]), ('bias', [1]))]
    assert OptimizerHook().detect_anomalous_params is False


def test_a_step_of_the_users(make_runner, make_loader):
    """In the style of hooks for mmcv, which do all of the step."""
    class Signed(OptimizerHook):
        def after_train_iter(self, runner):
            runner.optimizer.zero_grad()
            runner.outputs['loss'].backward()
            for parameter in runner.model.parameters():
                parameter.grad.sign_()
            runner.optimizer.step()

    runner = make_runner(max_iters=1, lr=0.25)
    before = runner.model.layer.weight.detach().clone()
    runner.register_optimizer_hook(Signed())
    runner.run([make_loader()], [('train', 1)])
    assert torch.equal((runner.model.layer.weight - before).abs(), torch.full((1, 2), 0.25))


def test_gradients_that_a_user_accumulates(make_runner, make_loader):
    """In the style of hooks for mmcv, with a constructor of their own too."""
    class Accumulating(OptimizerHook):
        def __init__(self, update_interval):
            self.update_interval = update_interval

        def before_run(self, runner):
            runner.optimizer.zero_grad()

        def after_train_iter(self, runner):
            (runner.outputs['loss'] / self.update_interval).backward()
            if self.every_n_iters(runner, self.update_interval):
                runner.optimizer.step()
                runner.optimizer.zero_grad()

    weights = []
    for hook in (Accumulating(2), GradientCumulativeOptimizerHook(2)):
        torch.manual_seed(0)
        runner = make_runner(max_iters=4)
        runner.register_optimizer_hook(hook)
        runner.run([make_loader()], [('train', 1)])
        weights.append(runner.model.layer.weight)
    assert torch.equal(*weights)


def test_gradients_from_before_the_run_do_not_count(make_runner, make_loader):
    weights = []
    for old in (None, torch.ones(1, 2)):
        torch.manual_seed(0)
        runner = make_runner(max_iters=1)
        runner.model.layer.weight.grad = old
        runner.register_optimizer_hook({})
        runner.run([make_loader()], [('train', 1)])
        weights.append(runner.model.layer.weight)
    assert torch.equal(*weights)


def test_a_subclass_that_calls_the_step(make_runner, make_loader):
    class Scaled(OptimizerHook):
        def after_train_iter(self, runner):
            runner.outputs['loss'] = runner.outputs['loss'] * 2
            super().after_train_iter(runner)

    weights = []
    for hook, rate in ((Scaled(), 0.1), (OptimizerHook(), 0.2)):
        torch.manual_seed(0)
        runner = make_runner(max_iters=3, lr=rate)
        runner.register_optimizer_hook(hook)
        runner.run([make_loader()], [('train', 1)])
        weights.append(runner.model.layer.weight)
    torch.testing.assert_close(*weights)


def test_steps_with_batch_norm_warn(make_runner, make_model, make_loader, log_lines):
    for model, count in ((make_model(), 0), (nn.Sequential(nn.BatchNorm1d(2)), 1)):
        hook = GradientCumulativeOptimizerHook(cumulative_iters=2, grad_clip={'max_norm': 1})
        assert hook.has_batch_norm(model) == bool(count)
        runner = make_runner(max_iters=1)
        runner.model.extra = model
        hook.before_run(runner)
        assert sum('statistics of batch norm' in line for line in log_lines) == count
    assert not hook.has_batch_norm(nn.InstanceNorm2d(2))
    GradientCumulativeOptimizerHook(1).before_run(runner)
    assert len(log_lines) == 1
    assert pickle.loads(pickle.dumps(hook)).grad_clip == {'max_norm': 1}


@pytest.mark.parametrize('number', [0, 1.5, None])
def test_number_of_iterations_per_step(number):
    with pytest.raises(AssertionError, match='must be at least 1'):
        GradientCumulativeOptimizerHook(number)


def test_errors():
    with pytest.raises(ConfigError, match="does not take 'max_nrm'; did you mean 'max_norm'"):
        OptimizerHook({'max_nrm': 1})
    with pytest.raises(ConfigError, match='lacks max_norm'):
        OptimizerHook({'norm_type': 2})
