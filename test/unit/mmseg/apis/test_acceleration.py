"""What makes a model faster, and its compilation: the same results, executed otherwise."""
import shutil

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import HostBatchNorm2d, WinogradConv2d, use_winograd
from mmcv_replace.cnn.utils import host_norm, winograd_conv
from mmcv_replace.cnn.utils.depthwise import SplitDepthwiseConv2d
from mmcv_replace.cnn.utils.prelu import HostPReLU
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import acceleration as execution
from mmseg.apis.acceleration import (
    choose_norms,
    prepare_inference,
    prepare_training,
)
from mmseg.models import build_segmentor

from .acceleration_model import CPU, HEAD, make, prepare, step


def recomputes(model):
    return {model.backbone.recompute_norms, model.backbone.layer1[0].recompute_norms}


def test_norms_are_recomputed_where_the_host_computes(monkeypatch):
    assert recomputes(prepare()) == {True}
    assert recomputes(prepare(recompute_norms=False)) == {False}
    monkeypatch.setattr(execution, 'is_asynchronous', lambda device: True)
    assert recomputes(prepare()) == {False}
    assert recomputes(prepare(recompute_norms=True)) == {True}


def test_recomputed_norms_give_the_same_step():
    model, plain = prepare(recompute_norms=True), prepare(recompute_norms=False)
    (loss, gradients), (same_loss, expected) = step(model), step(plain)
    assert torch.equal(loss, same_loss)
    assert torch.equal(gradients, expected)
    for found, buffer in zip(model.buffers(), plain.buffers(), strict=True):
        assert torch.equal(found, buffer)


def host_norms(model):
    return {name for name, module in model.named_modules() if isinstance(module, HostBatchNorm2d)}


def with_norms(**options):
    cfg = Config(dict(optimizer=dict(type='SGD'), **options))
    return choose_norms(prepare(**options), cfg, CPU)


def test_norms_of_the_host(monkeypatch):
    assert 'backbone.layer1.0.bn1' in host_norms(with_norms())
    assert not host_norms(with_norms(host_norms=False))
    monkeypatch.setattr(execution, 'is_asynchronous', lambda device: True)
    assert not host_norms(with_norms())


@pytest.mark.parametrize('recompute', [True, False])
def test_norms_of_the_host_give_the_same_step(monkeypatch, recompute):
    monkeypatch.setattr(host_norm, '_LEAST_VALUES', 1)
    options = dict(recompute_norms=recompute)
    model, plain = with_norms(**options), with_norms(**options, host_norms=False)
    (loss, gradients), (same_loss, expected) = step(model), step(plain)
    torch.testing.assert_close(loss, same_loss, rtol=1e-5, atol=0)
    assert (gradients - expected).norm() <= 1e-4 * expected.norm()
    for found, buffer in zip(model.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(found, buffer, rtol=1e-4, atol=1e-6)


@pytest.fixture
def small_layers(monkeypatch):
    """Layers that are too small to profit from Winograd's algorithm take part."""
    monkeypatch.setattr(winograd_conv, '_LEAST_CHANNELS', 1)
    monkeypatch.setattr(winograd_conv, '_LEAST_PIXELS', 1)


def winograd_layers(model):
    return {name for name, module in model.named_modules() if isinstance(module, WinogradConv2d)}


@pytest.mark.usefixtures('small_layers')
def test_winograd_where_the_host_computes(monkeypatch):
    for run in (prepare, lambda **options: prepare_inference(make().eval(), Config(options), CPU)):
        assert 'decode_head.bottleneck.conv' in winograd_layers(run())
        assert not winograd_layers(run(winograd=False))
        with monkeypatch.context() as patched:
            patched.setattr(execution, 'is_asynchronous', lambda device: True)
            assert not winograd_layers(run())


@pytest.mark.usefixtures('small_layers')
def test_winograd_gives_the_same_step(monkeypatch):
    calls = []
    inner = winograd_conv.winograd_conv2d
    monkeypatch.setattr(winograd_conv, 'winograd_conv2d',
                        lambda *args: calls.append(args) or inner(*args))
    model, plain = prepare(), prepare(winograd=False)
    (loss, gradients), (same_loss, expected) = step(model), step(plain)
    # Those of the stem, of the blocks, of the auxiliary head, whose conv_cat convolves its two
    # inputs one by one, and of the fused pyramid.
    assert len(calls) == len(winograd_layers(model)) + 1 > 9
    torch.testing.assert_close(loss, same_loss, rtol=1e-5, atol=0)
    assert (gradients - expected).norm() <= 1e-4 * expected.norm()


@pytest.fixture
def fresh_compiler():
    """torch.compile as in a new process: it would serve a second model from its memory."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures('fresh_compiler')
@pytest.mark.filterwarnings('error:.*lru_cache')
def test_compiled_parts_are_called():
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    model = prepare(compile=dict(backend=backend))
    keys = list(model.state_dict())
    (loss, gradients), (plain, expected) = step(model), step(prepare())
    assert len(compiled) >= 3
    assert keys == list(make().state_dict()) == list(model.state_dict())
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(gradients, expected)
    compiled.clear()
    torch.compiler.reset()
    step(prepare(compile=dict(backend=backend, parts=['backbone'])))
    assert len(compiled) == 1


@pytest.mark.parametrize('switch', [None, False])
def test_not_compiled_by_default(switch, monkeypatch):
    monkeypatch.setattr(nn.Module, 'compile', lambda *args, **kwargs: pytest.fail('compiled'))
    prepare() if switch is None else prepare(compile=switch)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('g++') is None, reason='no C++ compiler')
@pytest.mark.parametrize('options', [dict(parts=['decode_head']), True],
                         ids=['decode_head', 'backbone and heads'])
def test_compiled_by_inductor(options):
    (loss, gradients), (plain, expected) = step(prepare(compile=options)), step(prepare())
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=0)
    assert (gradients - expected).norm() <= 1e-4 * expected.norm()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('g++') is None, reason='no C++ compiler')
def test_compiled_model_takes_images_of_other_sizes():
    model, plain = prepare(compile=dict(parts=['decode_head'])).eval(), prepare().eval()
    with torch.no_grad():
        for size in (32, 40, 48):
            img = torch.randn(1, 3, size, size)
            torch.testing.assert_close(model.encode_decode(img, None),
                                       plain.encode_decode(img, None), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(backend='inductr'), "backend='inductr'\\) is not known: use one of .*inductor"),
    (dict(mode='max-autotun'), "compile = {'mode': 'max-autotun'}: .*one of: .*max-autotune"),
    (dict(backend='eager', parts=['head']), 'the model has none of these; its parts are backbone')])
def test_wrong_options(options, message):
    with pytest.raises(ConfigError, match=message):
        prepare(compile=options)


def test_no_compiler(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(ConfigError, match='needs a C\\+\\+ compiler, and no-such-compiler is not'):
        prepare(compile=True)


def mobile(**options):
    torch.manual_seed(0)
    model = build_segmentor(dict(
        type='EncoderDecoder',
        backbone=dict(type='CGNet', num_channels=(4, 8, 16), num_blocks=(2, 2)),
        decode_head=dict(type='FCNHead', in_channels=32, channels=8, **HEAD)))
    return prepare_training(model, Config(options), CPU)


def test_depthwise_networks_on_the_host(caplog):
    caplog.set_level('INFO')
    fast, plain = mobile(), mobile(winograd=False, recompute_norms=False, channels_last=False)
    assert 'channels_last for float32: its depthwise convolutions are faster' in caplog.text
    found = []
    for model, host in ((fast, True), (plain, False)):
        block = model.backbone.level2[1]
        assert model.backbone.stem[1].conv.weight.is_contiguous(
            memory_format=torch.channels_last) is host
        assert (type(block.f_sur) is SplitDepthwiseConv2d) is host
        assert (type(block.activate) is HostPReLU) is host
        assert block.recompute_norms is host
        found.append(step(model))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-4)


def test_low_precision_of_depthwise_networks_is_left_to_the_device():
    weight = mobile(fp16=dict(dtype='float16')).backbone.stem[1].conv.weight
    assert not weight.is_contiguous(memory_format=torch.channels_last)


class Wide(nn.Module):
    """A kernel that is too large for the caches, and a small one."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(512, 512, 3, padding=1)
        self.narrow = nn.Conv2d(512, 8, 3, padding=1)


@pytest.mark.parametrize(('options', 'kept'), [
    ({}, True), (dict(winograd=False), False), (dict(computing_dtype='bf16'), False)])
def test_large_kernels_keep_the_order_that_optimizers_step_fast(options, kept):
    options = dict(options)
    dtype = torch.bfloat16 if options.pop('computing_dtype', None) else torch.float32
    model, cfg = Wide(), Config(dict(channels_last=True, **options))
    if options.get('winograd', True):
        use_winograd(model)
    execution._fit_memory_format(model, cfg, torch.device('cpu'), dtype)
    assert model.wide.weight.is_contiguous() == kept
    assert not model.narrow.weight.is_contiguous()
