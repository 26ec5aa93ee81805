"""Which models run in channels_last: the same results in another order of memory."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.utils import pointwise_conv, winograd_conv
from mmcv_replace.device import DeviceKind
from mmcv_replace.utils import Config
from mmseg.apis import acceleration as execution
from mmseg.apis.acceleration import fit_autocast, prepare_inference
from mmseg.models import ResNetV1c

from .acceleration_model import CPU, is_channels_last, make, prepare, prepare_for_test, step


@pytest.fixture
def products(request, monkeypatch):
    """Whether the host has oneDNN's products; by default not."""
    monkeypatch.setattr(execution, 'has_products', lambda: getattr(request, 'param', False))


@pytest.mark.usefixtures('products')
@pytest.mark.parametrize('run', [prepare, prepare_for_test])
def test_device_and_precision_choose_the_memory_format(monkeypatch, caplog, run):
    reasons = {torch.bfloat16: 'it has units for it'}
    monkeypatch.setattr(execution, 'kind_of', lambda device: DeviceKind(
        'cpu', backend='gloo', channels_last=reasons.get))
    caplog.set_level('INFO')
    assert not is_channels_last(run())
    assert not is_channels_last(run(bf16=dict(opt_level='O0')))
    assert not is_channels_last(run(fp16=dict(dtype='float16')))
    assert not is_channels_last(run(bf16={}, channels_last=False))
    assert is_channels_last(run(channels_last=True))
    assert 'channels_last' not in caplog.text
    for options in (dict(bf16={}), dict(fp16=dict(opt_level='O2')),
                    dict(optimizer_config=dict(type='Fp16OptimizerHook'))):
        caplog.clear()
        assert is_channels_last(run(**options))
        assert [record.message for record in caplog.records if 'channels' in record.message] == [
            'the model runs in channels_last for bfloat16: it has units for it '
            '(channels_last=False keeps the plain format)']


@pytest.mark.parametrize('run', [prepare, prepare_for_test])
def test_matrix_units_give_the_same_results(monkeypatch, run):
    monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: True)
    img = torch.randn(2, 3, 32, 32)
    logits = []
    for model in (run(bf16={}), run(bf16={}, channels_last=False)):
        with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
            logits.append(model.eval().encode_decode(img, None))
    assert is_channels_last(run(bf16={}))
    torch.testing.assert_close(*logits, rtol=0.02, atol=0.02)


@pytest.mark.usefixtures('products')
def test_the_format_is_chosen_once_under_autocast(monkeypatch, caplog):
    monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: True)
    caplog.set_level('INFO')
    model = prepare_for_test()
    fit_autocast(model, Config({}))
    assert not is_channels_last(model)
    with torch.autocast('cpu', torch.bfloat16):
        fit_autocast(model, Config(dict(channels_last=False)))
        assert not is_channels_last(model)
        for _ in range(2):
            fit_autocast(model, Config({}))
            assert is_channels_last(model)
    assert caplog.text.count('channels_last for bfloat16') == 1


@pytest.mark.parametrize('run', [prepare, prepare_for_test])
def test_the_backbone_chooses_it_on_the_host_in_float32(monkeypatch, caplog, run):
    caplog.set_level('INFO')
    monkeypatch.setattr(ResNetV1c, 'host_channels_last', 'it has narrow layers')
    monkeypatch.setattr(execution, 'kind_of', lambda device: DeviceKind('cpu', backend='gloo'))
    assert is_channels_last(run())
    assert 'runs in channels_last for float32: it has narrow layers' in caplog.text
    assert not is_channels_last(run(channels_last=False))
    assert not is_channels_last(run(bf16={}))
    monkeypatch.setattr(execution, 'is_asynchronous', lambda device: True)
    assert not is_channels_last(run())


@pytest.mark.usefixtures('products')
@pytest.mark.parametrize('products', [True], indirect=True)
def test_models_that_only_predict_have_it_on_hosts_with_products(caplog, monkeypatch):
    caplog.set_level('INFO')
    assert is_channels_last(prepare_for_test())
    assert ('channels_last for float32: its convolutions without gradients are faster in this '
            'memory format') in caplog.text
    assert not is_channels_last(prepare())
    assert not is_channels_last(prepare_for_test(channels_last=False))
    assert not is_channels_last(prepare_for_test(winograd=False))
    assert not is_channels_last(prepare_for_test(bf16={}))
    monkeypatch.setattr(execution, 'is_asynchronous', lambda device: True)
    assert not is_channels_last(prepare_for_test())


class OwnLayer(nn.Identity):
    """A layer of a user, which may ask for a view of its map."""


@pytest.mark.usefixtures('products')
@pytest.mark.parametrize('products', [True], indirect=True)
def test_layers_of_others_get_maps_in_the_usual_order():
    model = make().eval()
    model.decode_head.own = OwnLayer()
    assert not is_channels_last(prepare_inference(model, Config(), CPU))


@pytest.mark.usefixtures('products')
@pytest.mark.parametrize('products', [True], indirect=True)
def test_hooks_of_users_may_view_the_maps_of_a_model_that_keeps_its_keys():
    model, seen = prepare_inference(make().eval(), Config(), CPU, keep_keys=True), []
    model.backbone.layer2.register_forward_hook(
        lambda layer, args, out: seen.append(out.view(2, 16, -1)))
    with torch.no_grad():
        model.encode_decode(torch.randn(2, 3, 32, 40), None).view(2, -1)
    assert len(seen) == 1
    assert not is_channels_last(model)
    asked = prepare_inference(make().eval(), Config(dict(channels_last=True)), CPU, keep_keys=True)
    assert is_channels_last(asked)


@pytest.mark.usefixtures('products')
@pytest.mark.parametrize('products', [True], indirect=True)
def test_a_model_that_only_predicts_has_the_same_results(monkeypatch):
    for module in (pointwise_conv, winograd_conv):
        monkeypatch.setattr(module, '_LEAST_PIXELS', 1)
    monkeypatch.setattr(winograd_conv, '_LEAST_CHANNELS', 1)
    monkeypatch.setattr(pointwise_conv, 'by_onednn', lambda x, y: True)
    img, logits = torch.randn(2, 3, 32, 40), []
    for model in (prepare_for_test(), make().eval()):
        with torch.no_grad():
            logits.append(model.encode_decode(img, None))
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-5)


def test_channels_last_gives_the_same_step():
    model = prepare(channels_last=True)
    assert is_channels_last(model)
    seen = []
    model.backbone.layer2[0].conv1.register_forward_hook(lambda m, args, out: seen.append(out))
    (loss, gradients), (plain, expected) = step(model), step(prepare())
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=0)
    assert (gradients - expected).norm() <= 1e-4 * expected.norm()
