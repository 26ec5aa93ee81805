"""Operators that are not repeatable, named by their warnings or as errors."""
import warnings

import pytest
import torch

from mmcv_replace.device import seed_everything
from mmcv_replace.runner import Hook
from mmcv_replace.runner.hooks import NondeterminismHook, nondeterministic_operator
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.dist_errors import naming_nondeterminism


class PutBackward(torch.autograd.Function):
    """Its backward uses `put_`, which torch does not call deterministic, on the CPU either."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return put(gradient)


def put(values):
    return torch.zeros_like(values).put_(torch.arange(values.numel()), values)


@pytest.fixture(autouse=True)
def former_mode():
    yield
    torch.use_deterministic_algorithms(False)


def model_with(model, forward=None, backward=False):
    layer_forward = model.layer.forward

    def run(x):
        out = layer_forward(x)
        if forward is not None:
            forward()
        return PutBackward.apply(out) if backward else out

    model.layer.forward = run
    return model


def said(log_lines):
    return [line for line in log_lines if line.startswith('deterministic:')]


@pytest.fixture
def train(make_runner, make_loader, make_model):
    def run(deterministic, length=3, hooks=(), **kwargs):
        seed_everything(0, deterministic)
        runner = make_runner(model=model_with(make_model(), **kwargs), max_iters=length)
        runner.register_optimizer_hook({})
        runner.register_hook(NondeterminismHook(), 'VERY_LOW')
        for hook in hooks:
            runner.register_hook(hook, 'LOW')
        with naming_nondeterminism():
            runner.run([make_loader()], [('train', 1)])
    return run


TOLD = ('deterministic: runs with the same seed may differ, since torch has no deterministic '
        'implementation here of {}. --deterministic strict makes that an error')


def test_of_forward_and_backward_passes_once(train, log_lines, recwarn):
    for _ in range(2):  # Python remembers the places of warnings beyond a run
        log_lines.clear()
        train(True, forward=lambda: put(torch.ones(3)), backward=True)
        assert said(log_lines) == [TOLD.format('put_')]
        log_lines.clear()
        train(True, backward=True)
        assert said(log_lines) == [TOLD.format('put_')]
    assert not [w for w in recwarn if 'deterministic' in str(w.message)]


def test_nothing_to_name(train, log_lines):
    train(True)
    assert said(log_lines) == ['deterministic: every operator of the first iteration has a '
                               'deterministic implementation']


def alert(name):
    warnings.warn(f"{name} does not have a deterministic implementation, but you set "
                  "'torch.use_deterministic_algorithms(True, warn_only=True)'.", stacklevel=2)


def test_several_and_later_ones(train, log_lines):
    class Evaluate(Hook):
        def after_train_iter(self, runner):
            if runner.iter == 1:
                alert('kthvalue CUDA')
                alert('b_out_npu')

    train(True, hooks=[Evaluate()], forward=lambda: (alert('b_out_npu'), alert('a_backward_cuda')))
    assert said(log_lines) == [TOLD.format('a_backward_cuda, b_out_npu'),
                               TOLD.format('kthvalue CUDA')]


def test_other_warnings_pass_and_the_filters_are_as_before(train, log_lines):
    show, filters = warnings.showwarning, list(warnings.filters)
    with pytest.warns(UserWarning, match='something else'):
        train(True, forward=lambda: warnings.warn('something else', stacklevel=1))
    assert (warnings.showwarning, warnings.filters) == (show, filters)
    with pytest.raises(ZeroDivisionError):
        train(True, forward=lambda: 1 / 0)
    assert (warnings.showwarning, warnings.filters) == (show, filters)


@pytest.mark.parametrize('where', [dict(forward=lambda: put(torch.ones(3))), dict(backward=True)])
def test_strict_is_an_error(train, where):
    with pytest.raises(ConfigError, match="deterministic='strict': torch has no deterministic "
                                          'implementation of put_ for this device.*plain '
                                          '--deterministic'):
        train('strict', **where)


def test_strict_without_such_operators(train):
    train('strict')


@pytest.mark.parametrize(('message', 'name'), [
    ("upsample_bilinear2d_backward_out_cuda does not have a deterministic implementation, but you "
     "set 'torch.use_deterministic_algorithms(True, warn_only=True)'.",
     'upsample_bilinear2d_backward_out_cuda'),
    ('Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or '
     '`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic '
     'because it uses CuBLAS and you have CUDA >= 10.2.', 'CuBLAS'),
    ('Memory Efficient attention defaults to a non-deterministic algorithm. To explicitly enable '
     'determinism call torch.use_deterministic_algorithms(True, warn_only=False).',
     'Memory Efficient attention'),
    ('an ordinary warning', None)])
def test_the_messages_of_torch(message, name):
    assert nondeterministic_operator(message) == name


def test_another_error_stays():
    with pytest.raises(RuntimeError, match='^other$'), naming_nondeterminism():
        raise RuntimeError('other')
