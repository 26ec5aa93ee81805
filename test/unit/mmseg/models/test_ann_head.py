"""What ANNHead's two forms share beside their results, what the fast one saves, what is refused."""
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_head
from mmseg.models.decode_heads.ann_head import PPMConcat

from . import head_options as table
from .head_plain import HEAD, WIDTHS, adaptive_pool

TWO = dict(HEAD, type='ANNHead', project_channels=4, in_channels=WIDTHS[1:], in_index=(1, 2))


@pytest.mark.parametrize('number', range(3))
def test_running_statistics_do_not_depend_on_the_form(number):
    """The norm of projections that keys and queries share takes two steps in each iteration."""
    states = []
    for fast in (True, False):
        head = table.build('ANNHead', number, fuse_attention=fast).double()
        before = head.state_dict()['context.stages.0.key_project.bn.num_batches_tracked'].clone()
        table.losses_and_gradients(head, table.maps(), table.labels(head))
        states.append(head.state_dict())
        after = states[-1]['context.stages.0.key_project.bn.num_batches_tracked']
        assert after - before == 2
    torch.testing.assert_close(*states)


def test_the_fast_form_multiplies_less():
    found = []
    for fast in (True, False):
        head = build_head(dict(TWO, in_channels=(32, 64), channels=32, project_channels=16,
                               key_pool_scales=(1, 3), fuse_attention=fast))
        maps = [torch.randn(1, width, 32, 32) for width in (8, 32, 64)]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            head.eval()(maps)
        bottleneck = 2 * 9 * 64 * 32 * 32 * 32
        found.append(counter.get_total_flops() - bottleneck)
    assert found[0] < 0.75 * found[1]


def test_a_dropped_fusion_leaves_the_bias_of_the_convolution_behind_it():
    head = table.build('ANNHead', 0, dropout_ratio=1.0).double()
    head.bottleneck.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    seen = []
    head(table.maps())
    assert not seen[0].any()


def test_cells_of_all_scales_side_by_side():
    x = torch.randn(2, 3, 7, 10, dtype=torch.float64)
    expected = torch.cat([adaptive_pool(x, scale).flatten(2) for scale in (1, 4)], 2)
    torch.testing.assert_close(PPMConcat((1, 4))(x), expected)


def test_both_projections_of_the_pyramid_of_itself_are_one():
    head = build_head(TWO)
    stage = head.context.stages[0]
    assert stage.query_project is stage.key_project
    assert head.fusion.stages[0].query_project is not head.fusion.stages[0].key_project


@pytest.mark.parametrize(('changes', 'message'), [
    (dict(input_transform='resize_concat'),
     "input_transform='resize_concat' must be 'multiple_select' or left out"),
    (dict(in_channels=(8,), in_index=(1,)), r'in_channels=\(8,\) and in_index=\(1,\) must be two'),
    (dict(project_channels=0), 'project_channels=0 must be 1 or more'),
    (dict(query_scales=()), r'query_scales=\(\) must be a list of sizes from 1 on'),
    (dict(key_pool_scales=(1, 0)), r'key_pool_scales=\(1, 0\) must be a list'),
    (dict(key_pool_scales=(1.5,)), r'key_pool_scales=\(1.5,\) must be a list')])
def test_what_is_refused(changes, message):
    with pytest.raises(ConfigError, match=f'ANNHead: {message}'):
        build_head(TWO | changes)
