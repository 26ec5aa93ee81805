"""What is particular to point_sample: helpers, errors, empty inputs, and names of modules."""
import os
import subprocess
import sys

import pytest
import torch

from mmcv_replace.ops import SimpleRoIAlign, point_sample
from mmcv_replace.ops.point_sample import (
    abs_img_point_to_rel_img_point,
    denormalize,
    generate_grid,
    get_shape_from_feature_map,
    normalize,
    rel_roi_point_to_abs_img_point,
    rel_roi_point_to_rel_img_point,
)
from mmcv_replace.utils.errors import ArgumentError

from .op_cases import uniform


def test_options_of_grid_sample_are_passed_on():
    x = torch.arange(6.).view(1, 1, 2, 3)
    points = torch.tensor([[[-0.5, 0.1], [0.4, 0.9]]])
    assert point_sample(x, points, mode='nearest').tolist() == [[[0, 4]]]
    assert point_sample(x, points, mode='nearest', padding_mode='border').tolist() == [[[0, 4]]]
    assert point_sample(x + 1, points, mode='nearest').tolist() == [[[0, 5]]]
    assert point_sample(x + 1, points, padding_mode='border', mode='nearest')[0, 0, 0] == 1


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_positions_on_a_large_map_in_low_precision(dtype):
    """Neighbouring pixels have unlike values, and a position off by a tenth of one shows."""
    x = (torch.arange(128) % 2).expand(1, 1, 2, 128).to(dtype)
    place = torch.arange(100, 127) + 0.75
    points = torch.stack([place / 128, torch.full_like(place, 0.5)], -1).unsqueeze(0)
    out = point_sample(x, points)
    assert out.dtype == dtype
    expected = torch.where(torch.arange(100, 127) % 2 == 0, 0.25, 0.75)
    torch.testing.assert_close(out[0, 0].float(), expected, rtol=0, atol=1e-3)


def test_nothing_to_sample():
    x = uniform(2, 3, 5, 4)
    assert point_sample(x, torch.zeros(2, 0, 2).double()).shape == (2, 3, 0)
    assert SimpleRoIAlign(2, 1.0)(x, torch.zeros(0, 5).double()).shape == (0, 3, 2, 2)
    points = rel_roi_point_to_abs_img_point(torch.zeros(0, 5), torch.zeros(0, 3, 2))
    assert points.shape == (0, 3, 2)


def test_simple_roi_align():
    layer = SimpleRoIAlign(7, 0.5)
    assert repr(layer) == 'SimpleRoIAlign(output_size=(7, 7), spatial_scale=0.5)'
    assert not list(layer.state_dict())


def test_helpers():
    grid = generate_grid(2, (2, 3), torch.device('cpu'))
    assert grid.shape == (2, 6, 2)
    assert grid.dtype == torch.float32
    expected = [[(x + 0.5) / 3, (y + 0.5) / 2] for y in range(2) for x in range(3)]
    torch.testing.assert_close(grid[1], torch.tensor(expected))
    assert normalize(torch.tensor([0, 0.25, 1])).tolist() == [-1, -0.5, 1]
    assert denormalize(torch.tensor([-1, -0.5, 1])).tolist() == [0, 0.25, 1]
    assert get_shape_from_feature_map(torch.zeros(2, 3, 4, 5)).tolist() == [[[5, 4]]]


def test_coordinates():
    rois, points = torch.tensor([[0, 1, 2, 5, 8.]]), torch.tensor([[[0.25, 0.5]]])
    assert rel_roi_point_to_abs_img_point(rois, points).tolist() == [[[2, 5]]]
    assert rel_roi_point_to_abs_img_point(rois[:, 1:], points).tolist() == [[[2, 5]]]
    found = [rel_roi_point_to_rel_img_point(rois, points, img, 0.5)
             for img in ((10, 20), torch.zeros(2, 3, 10, 20))]
    for result in found:
        torch.testing.assert_close(result, torch.tensor([[[0.05, 0.25]]]))


def test_wrong_arguments():
    points = torch.zeros(1, 3, 2)
    with pytest.raises(AssertionError, match='there are 2 rois and points for 1'):
        rel_roi_point_to_abs_img_point(torch.zeros(2, 5), points)
    for img in ([10, 20], (10, 20, 3)):
        with pytest.raises(ArgumentError, match=r'give a map .* or a tuple \(height, width\)'):
            abs_img_point_to_rel_img_point(points, img)


@pytest.mark.parametrize(('rois', 'points'), [
    ((2, 3), (2, 3, 2)), ((2, 6), (2, 3, 2)), ((5,), (1, 3, 2)), ((2, 4), (2, 3, 3)),
    ((2, 5), (2, 2))])
def test_shapes_of_boxes_and_points(rois, points):
    with pytest.raises(ArgumentError, match=r'give \[K, 4\] or \[K, 5\], and \[K, P, 2\]'):
        rel_roi_point_to_abs_img_point(torch.zeros(rois), torch.zeros(points))


def test_wrong_arguments_of_simple_roi_align():
    layer, x = SimpleRoIAlign(2, 1.0), uniform(2, 3, 5, 4)
    with pytest.raises(ArgumentError, match=r'SimpleRoIAlign: rois .* \(2, 4\), and \[K, 5\]'):
        layer(x, torch.zeros(2, 4))
    with pytest.raises(ArgumentError, match='SimpleRoIAlign: rois name images from 2.0 to 2.0'):
        layer(x, torch.full((1, 5), 2.))


def test_a_map_of_whole_numbers():
    with pytest.raises(ArgumentError, match='the map is of torch.int32'):
        point_sample(torch.ones(1, 1, 2, 2, dtype=torch.int32), torch.zeros(1, 1, 2))


@pytest.mark.parametrize('order', [0, 1, 2])
def test_functions_have_the_names_of_their_modules(order, repo_dir):
    program = ['import mmcv_replace', 'mmcv_replace.install_alias()']
    for name in ('point_sample', 'roi_align', 'roi_pool'):
        lines = [f'import mmcv.ops.{name}', f'from mmcv.ops import {name}',
                 f'from mmcv.ops.{name} import {name} as other']
        program += [*lines[order:], *lines[:order],
                    f'import mmcv.ops; assert mmcv.ops.{name} is {name} is other',
                    f'assert callable({name})', f'from mmcv_replace.ops import {name} as own',
                    f'assert own is {name}']
    program = '\n'.join(program)
    subprocess.run([sys.executable, '-c', program], check=True,
                   env={**os.environ, 'PYTHONPATH': str(repo_dir)})
