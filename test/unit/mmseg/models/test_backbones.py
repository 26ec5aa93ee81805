"""Every registered backbone: maps, values, modes, weights. A new one needs its cases alone."""
import copy

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import BACKBONES, build_backbone

from . import backbone_options as cases
from . import module_checks as checks

each_case = pytest.mark.parametrize(('name', 'index'), cases.EACH)


def build(name, index, **more):
    torch.manual_seed(0)
    return build_backbone(dict(cases.CASES[name][index][0], type=name, **more))


def images_for(name, index, size=(33, 47)):
    channels = cases.CASES[name][index][0].get('in_channels', 3)
    size = cases.fitting(build(name, index), size)
    return lambda batch, dtype, seed=0: cases.images(batch, channels, size, dtype, seed)


def test_every_backbone_has_two_cases():
    missing = set(BACKBONES) - set(cases.CASES)
    assert not missing, f'add files for {missing} to {cases.FOLDER}'
    assert all(len(each) >= 2 for each in cases.CASES.values())


@each_case
def test_values_are_those_of_the_plain_form(name, index):
    options, plain, _ = cases.CASES[name][index]
    model = checks.randomise_norms(build(name, index)).double().eval()
    for size in ((33, 47), (64, 32), (7, 1)):
        x = images_for(name, index, size)(2, torch.float64)
        with torch.no_grad():
            found, expected = model(x), plain(model.state_dict(), options, x)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)


@each_case
@pytest.mark.parametrize('size', [(33, 47), (64, 65), (1, 130)])
def test_outputs_are_described(name, index, size):
    model = build(name, index).eval()
    size = cases.fitting(model, size)
    with torch.no_grad():
        outs = model(images_for(name, index, size)(1, torch.float32))
    assert isinstance(model.out_channels, tuple)
    assert isinstance(model.out_strides, tuple)
    sides = [side - model.out_margin for side in size]
    shapes = [(1, channels, *(-(-side // stride) for side in sides)) for channels, stride in
              zip(model.out_channels, model.out_strides, strict=True)]
    assert [tuple(out.shape) for out in outs] == shapes


@each_case
@pytest.mark.parametrize('check', checks.CHECKS, ids=lambda check: check.__name__)
def test_as_every_module(name, index, check):
    if check.__name__ in cases.UNFIT[name]:
        pytest.skip(cases.UNFIT[name][check.__name__])
    check(lambda: build(name, index), images_for(name, index))


@each_case
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_gradients(name, index, dtype):
    checks.check_gradients(lambda: build(name, index), images_for(name, index), dtype)


@each_case
def test_parts_are_the_whole_model_once(name, index):
    model = build(name, index)
    found = [id(param) for part in model.parts() for module in part
             for param in module.parameters()]
    assert sorted(found) == sorted(map(id, model.parameters()))


def step(model, x):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    sum(out.square().mean() for out in model(x.requires_grad_())).backward()
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


@each_case
def test_frozen_parts_are_not_trained(name, index):
    number = len(build(name, index).parts())
    x = images_for(name, index)(2, torch.float32)
    for frozen in sorted({0, number // 2, number - 1}):  # none: the test of norm_eval
        model = build(name, index, frozen_stages=frozen)
        assert model.training
        model.eval().train()
        changed = step(model, x)
        for i, part in enumerate(model.parts()):
            for module in part:
                assert all((param.grad is None) == (i <= frozen) for param in module.parameters())
                for norm in module.modules():
                    if isinstance(norm, _BatchNorm):
                        assert norm.training == (i > frozen)
        names = {id(value): key for key, value in model.named_buffers()}
        fixed = {names[id(value)] for part in model.parts()[:frozen + 1] for module in part
                 for value in module.buffers()}
        assert changed == set(names.values()) - fixed


@each_case
def test_frozen_stages_that_do_not_exist(name, index):
    number = len(build(name, index).parts())
    for wrong in (-2, number):  # noticed by _freeze_stages, with which a constructor ends
        with pytest.raises(ConfigError, match=f'{name}: frozen_stages={wrong} must be -1'):
            build(name, index, frozen_stages=wrong)


@each_case
@pytest.mark.parametrize('norm_eval', [False, True])
def test_norm_eval_keeps_statistics_and_trains_weights(name, index, norm_eval):
    model = build(name, index, norm_eval=norm_eval).train()
    buffers = {key for key, _ in model.named_buffers()}
    assert step(model, images_for(name, index)(2, torch.float32)) == (
        set() if norm_eval else buffers)
    assert model.training
    assert all(param.grad is not None for param in model.parameters())


@each_case
def test_recomputing_changes_nothing(name, index):
    found = []
    for recompute in (False, True):
        model = build(name, index).train()
        for module in model.modules():
            if hasattr(module, 'recompute_norms'):
                module.recompute_norms = recompute
        step(model, images_for(name, index)(2, torch.float32))
        found.append([*(param.grad for param in model.parameters()), *model.buffers()])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


@each_case
def test_operations_of_a_training_step_can_be_counted(name, index):
    model = build(name, index).train()
    for module in model.modules():
        if hasattr(module, 'recompute_norms'):
            module.recompute_norms = True
    with FlopCounterMode(display=False) as counter:
        step(model, images_for(name, index)(2, torch.float32))
    assert counter.get_total_flops() > 0


@each_case
@pytest.mark.parametrize('channels', [1, 6])
def test_weights_of_a_whole_model_for_other_channels(name, index, channels, tmp_path, caplog):
    options = cases.CASES[name][index][0]
    if options.get('in_channels', 3) != 3:
        pytest.skip('its weights are not for RGB')
    source = checks.randomise_norms(build(name, index))
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    torch.save({**state, 'decode_head.conv_seg.bias': torch.zeros(3)}, tmp_path / 'model.pth')
    target = build(name, index, in_channels=channels, pretrained=str(tmp_path / 'model.pth'))
    with caplog.at_level('INFO', logger='mmseg'):
        target.init_weights()

    told = [message for message in caplog.messages if f'3 channels fitted to {channels}' in message]
    assert [message.endswith('R, G and B added' if channels == 1 else
                             f'R, G, B repeated, scaled by 3/{channels}') for message in told] == [
        True]
    assert 'does not fit the model' not in caplog.text  # all weights are loaded
    weights = [module.weight for module in (source, target)
               for module in [next(each for each in module.modules()
                                   if isinstance(each, nn.Conv2d))]]
    ours = weights[0].sum(1, keepdim=True) if channels == 1 else torch.stack(
        [weights[0][:, band % 3] * 3 / channels for band in range(channels)], dim=1)
    torch.testing.assert_close(weights[1], ours)
    if name == 'CGNet' and channels == 1:  # one norm cannot stand for those of three colours
        return
    gray = cases.images(1, 1, cases.fitting(target))
    with torch.no_grad():
        found = target.eval()(gray.expand(1, channels, -1, -1))
        expected = source.eval()(gray.expand(1, 3, -1, -1))
    # Some maps of CGNet contain the image, with its channels.
    alike = [pair for pair in zip(found, expected, strict=True) if pair[0].shape == pair[1].shape]
    assert len(alike) >= 1
    for one, other in alike:
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@each_case
def test_initial_weights_are_drawn_once(name, index):
    model = build(name, index)
    before = copy.deepcopy(model.state_dict())
    model.init_weights()
    drawn = copy.deepcopy(model.state_dict())
    convs = {f'{key}.weight' for key, layer in model.named_modules()
             if isinstance(layer, nn.Conv2d)}
    assert all(not torch.equal(drawn[key], before[key]) for key in convs)
    model.init_weights()
    assert all(torch.equal(value, drawn[key]) for key, value in model.state_dict().items())


@each_case
def test_names_of_the_weights(name, index):
    found = cases.fingerprint(build(name, index))
    assert found == cases.CASES[name][index][2], (
        'the names or shapes of its weights: if they are new, or meant to change, write '
        f'{found!r} into its file in {cases.FOLDER}')


@each_case
def test_images_of_other_channels_are_refused(name, index):
    with pytest.raises(ConfigError, match=rf'{name}: in_channels=\d, but the images have 7 chan'):
        build(name, index)(torch.zeros(1, 7, 32, 32))
