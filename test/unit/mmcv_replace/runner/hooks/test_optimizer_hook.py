import pytest
import torch

from mmcv_replace.runner import Hook, OptimizerHook
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


def test_errors():
    with pytest.raises(ConfigError, match="does not take 'max_nrm'; did you mean 'max_norm'"):
        OptimizerHook({'max_nrm': 1})
    with pytest.raises(ConfigError, match='lacks max_norm'):
        OptimizerHook({'norm_type': 2})
