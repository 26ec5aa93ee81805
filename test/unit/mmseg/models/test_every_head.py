"""What holds for every head: those in the registry, by the files in head_cases, and one written
here, which refines the logits of another.
"""
import copy
import inspect
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import ConvModule, fuse_conv_bn
from mmseg.models import HEADS
from mmseg.models.decode_heads import BaseCascadeDecodeHead
from mmseg.models.fast_forms import FAST_FORMS

from . import head_options as table
from .head_plain import TANH, Row, block, classify

maps = table.maps


class Refine(BaseCascadeDecodeHead):
    """The smallest head of a cascade."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.project = self.conv_module(self.in_channels, self.channels, 3)

    def forward(self, inputs, prev_output):
        return self.cls_seg(self.project(self._transform_inputs(inputs))) + prev_output


def plain_refine(head, x, previous, **options):
    return classify(head, block(head.project, x, 3, options)) + previous


ROWS = table.HEAD_OPTIONS
ROWS[Refine] = Row(plain_refine, [{}, TANH])


def run(head, inputs):
    """The logits, which stand first where a head gives more in training."""
    out = head(inputs, *table.previous(head, inputs))
    return out if isinstance(out, torch.Tensor) else out[0]


def test_every_head_is_in_the_table():
    missing = set(HEADS) - set(ROWS)
    assert not missing, f'add files for {missing} to {table.FOLDER}'
    assert all(len(row.options) > 1 for row in ROWS.values()), 'two sets of options or more'
    assert all(issubclass(HEADS.get(name), nn.Module) for name in HEADS)


@pytest.fixture(params=[*table.CASES, (Refine, 0), (Refine, 1)],
                ids=lambda case: f'{getattr(case[0], "__name__", case[0])}-{case[1]}')
def case(request):
    return request.param


@pytest.fixture
def head(case):
    return table.build(*case).double()


@torch.no_grad()
def test_values_against_the_plain_form(case, head):
    head.eval()
    row = ROWS[case[0]]
    inputs = maps() if row.all_maps else head._transform_inputs(maps())
    previous = table.previous(head, maps())
    logits = head.forward_test(maps(), *previous, [{}, {}], None)
    assert logits.shape[:2] == (2, head.out_channels)
    torch.testing.assert_close(
        logits, row.plain(head, inputs, *previous, **row.options[case[1]]))


@torch.no_grad()
def test_a_picture_alone_and_in_a_batch(head):
    head.eval()
    batch = run(head, maps(3))
    alone = [run(head, [x[i:i + 1] for x in maps(3)]) for i in range(3)]
    torch.testing.assert_close(batch, torch.cat(alone))


def test_a_head_in_training_predicts_logits(head):
    """The statistics of norms are found so, see `norm_statistics.py`."""
    torch.manual_seed(0)
    previous = table.previous(head, maps())
    logits = head.train().forward_test(maps(), *previous, [{}, {}], None)
    assert logits.shape[:2] == (2, head.out_channels)
    assert logits.requires_grad


def test_losses_are_those_of_the_logits(case, head):
    inputs, label = maps(), table.labels(head)
    prefix = ROWS[case[0]].losses_of_logits
    if prefix is None:
        pytest.skip('its losses are others')
    logits = F.interpolate(run(copy.deepcopy(head), inputs), label.shape[2:], mode='bilinear',
                           align_corners=head.align_corners)
    losses = table.losses_and_gradients(head, inputs, label)[0]
    if head.out_channels > 1:
        terms = F.cross_entropy(logits, label[:, 0], ignore_index=255, reduction='none')
        right = logits.argmax(1) == label[:, 0]
    else:
        terms = F.binary_cross_entropy_with_logits(
            logits[:, 0], (label[:, 0] == 1).double(), reduction='none') * (label[:, 0] != 255)
        right = (logits[:, 0].sigmoid() > 0.3) == label[:, 0]
    torch.testing.assert_close(losses[f'{prefix}loss_seg'], terms.mean())
    torch.testing.assert_close(losses[f'{prefix}acc_seg'], 100 * right.float().mean().view(1))


def test_gradients_reach_all_weights(head):
    for name, gradient in table.losses_and_gradients(head, maps(), table.labels(head))[1].items():
        assert gradient is not None, name
        assert gradient.isfinite().all(), name
        assert gradient.any(), name


def test_the_fast_form_is_the_plain_one(case):
    """Logits, losses and gradients with and without each option of FAST_FORMS that a head has."""
    known = inspect.signature(type(table.build(*case)).__init__).parameters
    for option in (name for name in FAST_FORMS if name in known):
        results = []
        for fast in (True, False):
            head = table.build(*case, **{option: fast}).double()
            assert getattr(head, option) is fast
            label = table.labels(head)
            with torch.no_grad():
                logits = run(copy.deepcopy(head).eval(), maps())
            results.append((logits, *table.losses_and_gradients(head, maps(), label)))
        torch.testing.assert_close(*results, rtol=1e-9, atol=1e-12)


def test_recomputing_changes_nothing(case):
    found = []
    for recompute in (False, True):
        head = table.build(*case)
        for module in head.modules():
            if hasattr(module, 'recompute_norms'):
                module.recompute_norms = recompute
        found.append(table.losses_and_gradients(head, maps(dtype=torch.float32),
                                                table.labels(head)))
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_training_is_the_same_after_an_evaluation(head):
    label, evaluated = table.labels(head), copy.deepcopy(head)
    with torch.inference_mode():
        run(evaluated.eval(), maps())
    found = table.losses_and_gradients(evaluated.train(), maps(), label)
    torch.testing.assert_close(found, table.losses_and_gradients(head, maps(), label),
                               rtol=0, atol=0)


@torch.no_grad()
def test_saved_and_loaded(case, head):
    file = io.BytesIO()
    torch.save(head.state_dict(), file)
    file.seek(0)
    other = table.build(*case).double()
    for value in other.state_dict().values():
        value.zero_()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(run(other.eval(), maps()), run(head.eval(), maps()))


def test_bfloat16(case, head):
    expected = run(head.eval(), maps())
    low = run(table.build(*case).eval().bfloat16(), maps(dtype=torch.bfloat16))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.double(), expected, rtol=0, atol=0.1 * expected.std().item())
    mixed, inputs = table.build(*case), maps(dtype=torch.float32)
    label = table.labels(mixed)
    full = table.losses_and_gradients(table.build(*case), inputs, label)[0]
    with torch.autocast('cpu', torch.bfloat16):
        losses, gradients = table.losses_and_gradients(mixed, inputs, label)
    for name in (name for name in losses if 'loss' in name):
        assert losses[name].dtype == torch.float32
        torch.testing.assert_close(losses[name], full[name], rtol=0.02, atol=0)
    assert all(gradient.isfinite().all() for gradient in gradients.values())


@torch.no_grad()
def test_norms_run_behind_the_convolution_that_is_named_before_them(case, head):
    """What the toolkit folds without being asked, see `apis.acceleration.prepare_inference`."""
    plain = run(head.eval(), maps())
    folded = fuse_conv_bn(head)
    torch.testing.assert_close(run(folded, maps()), plain)
    norms = [name for name, module in folded.named_modules()
             if isinstance(module, nn.BatchNorm2d)]
    assert all(name.endswith(ROWS[case[0]].free_norms) for name in norms)


def test_layer_types_reach_every_convolution(case):
    head = table.build(*case, norm_cfg=dict(type='GN', num_groups=2), act_cfg=dict(type='Tanh'),
                       conv_cfg=dict(type='Conv2dAdaptivePadding'))

    def in_parts(name, parts):
        return any(f'{name}.'.startswith(f'{part}.') for part in parts)

    for name, module in head.named_modules():
        if isinstance(module, ConvModule) and not in_parts(name, ROWS[case[0]].own_layers):
            assert type(module.conv).__name__ == 'Conv2dAdaptivePadding'
            if not in_parts(name, ROWS[case[0]].own_norms):
                assert isinstance(module.norm, nn.GroupNorm)
                assert not module.with_activation or isinstance(module.activate, nn.Tanh)


class OneList(nn.Module):
    """A head by one argument for each map, since names of dynamic sizes go by argument."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, *inputs):
        return run(self.head, inputs)


@torch.no_grad()
def test_exported_for_any_number_of_images(head):
    model, inputs = OneList(head.eval()), maps()
    sizes = tuple({0: torch.export.Dim('images', max=64)} for _ in inputs)
    exported = torch.export.export(model, tuple(inputs), dynamic_shapes=(sizes,)).module()
    for x in (inputs, [torch.cat([each, -each, each.flip(3)]) for each in inputs]):
        torch.testing.assert_close(exported(*x), model(*x))
