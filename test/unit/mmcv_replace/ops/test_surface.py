"""All that mmcv_replace.ops exports: cases, docstrings, parameters, and modules that travel."""
import ast
import copy
import importlib
import inspect
import pickle
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmcv_replace import ops
from mmcv_replace.utils.config.syntax import parse_python

from ..test_compatibility import fits
from . import op_cases

# Modules without an operator of their own.
NO_OPERATORS = {'host_sync_bn', 'wide_sync_bn'}
SHAPE = re.compile(r'\[[A-Z]\w*(, [^\]]+)?\]')
SOURCE = re.compile(r'arXiv[: ]\d{4}\.\d{4,5}|\b(CVPR|ECCV|ICCV|NeurIPS) \d{4}')
COST = re.compile(r'\bCost\b')
# What another operator of its file computes.
OTHER_NAMES = {'carafe_naive'}
# What no paper has introduced.
NO_PAPER = {'batched_nms', 'bbox_overlaps', 'nms'}

# The functions of mmcv that are `Function.apply` there, which takes arguments by their place alone.
SIGNATURES = {
    'carafe': 'features, masks, kernel_size, group_size, scale_factor',
    'carafe_naive': 'features, masks, kernel_size, group_size, scale_factor',
    'deform_conv2d': 'input, offset, weight, stride=1, padding=0, dilation=1, groups=1, '
                     'deform_groups=1, bias=False, im2col_step=32',
    'masked_conv2d': 'features, mask, weight, bias, padding=0, stride=1',
    'modulated_deform_conv2d': 'input, offset, mask, weight, bias=None, stride=1, padding=0, '
                               'dilation=1, groups=1, deform_groups=1',
    'psa_mask': 'input, psa_type, mask_size',
    'roi_align': "input, rois, output_size, spatial_scale=1.0, sampling_ratio=0, pool_mode='avg', "
                 'aligned=True',
    'roi_pool': 'input, rois, output_size, spatial_scale=1.0',
    'sigmoid_focal_loss': "input, target, gamma=2.0, alpha=0.25, weight=None, reduction='mean'",
    'softmax_focal_loss': "input, target, gamma=2.0, alpha=0.25, weight=None, reduction='mean'",
    'tin_shift': 'input, shift',
}


def maps(*shape: int) -> Tensor:
    return op_cases.uniform(*shape).float()


def boxes() -> Tensor:
    return torch.tensor([[0., 0, 0, 5, 4], [1, 2, 1, 6, 6]])


def flow() -> tuple[Tensor, Tensor, Tensor]:
    return maps(2, 4, 6, 7), maps(2, 18, 6, 7), maps(2, 9, 6, 7).sigmoid()


# For each module: the parameters of mmcv's `forward`, arguments for an object, inputs of it.
MODULES = {
    'BaseMergeCell': ('x1, x2, out_size=None', None, None),
    'CARAFE': ('features, masks', dict(kernel_size=3, group_size=1, scale_factor=2),
               lambda: (maps(1, 4, 3, 5), maps(1, 9, 6, 10).softmax(1))),
    'CARAFENaive': ('features, masks', dict(kernel_size=3, group_size=1, scale_factor=2),
                    lambda: (maps(1, 4, 3, 5), maps(1, 9, 6, 10).softmax(1))),
    'CARAFEPack': ('x', dict(channels=4, scale_factor=2), lambda: (maps(1, 4, 3, 5),)),
    'ConcatCell': ('x1, x2, out_size=None', dict(in_channels=4, out_channels=4),
                   lambda: (maps(1, 4, 3, 5), maps(1, 4, 6, 10))),
    'CornerPool': ('x', dict(mode='top'), lambda: (maps(1, 4, 3, 5),)),
    'CrissCrossAttention': ('x', dict(in_channels=16), lambda: (maps(1, 16, 3, 5),)),
    'DeformConv2d': ('x, offset', dict(in_channels=4, out_channels=6, kernel_size=3, padding=1),
                     lambda: flow()[:2]),
    'DeformConv2dPack': ('x', dict(in_channels=4, out_channels=6, kernel_size=3, padding=1),
                         lambda: flow()[:1]),
    'GlobalPoolingCell': ('x1, x2, out_size=None', dict(in_channels=4, out_channels=4),
                          lambda: (maps(1, 4, 6, 6), maps(1, 4, 6, 6))),
    'MaskedConv2d': ('input, mask=None', dict(in_channels=4, out_channels=6, kernel_size=3),
                     lambda: (maps(1, 4, 5, 6), (maps(1, 3, 4) > 0).float())),
    'ModulatedDeformConv2d': (
        'x, offset, mask', dict(in_channels=4, out_channels=6, kernel_size=3, padding=1), flow),
    'ModulatedDeformConv2dPack': (
        'x', dict(in_channels=4, out_channels=6, kernel_size=3, padding=1), lambda: flow()[:1]),
    'MultiScaleDeformableAttention': (
        'query, key=None, value=None, identity=None, query_pos=None, key_padding_mask=None, '
        'reference_points=None, spatial_shapes=None, level_start_index=None',
        dict(embed_dims=8, num_heads=2, num_levels=1), lambda: (
            maps(5, 2, 8), None, maps(12, 2, 8), None, None, None, maps(2, 5, 1, 2).abs(),
            torch.tensor([[3, 4]]), torch.tensor([0]))),
    'PSAMask': ('input', dict(psa_type='collect', mask_size=(3, 5)),
                lambda: (maps(2, 15, 4, 6),)),
    'RoIAlign': ('input, rois', dict(output_size=2), lambda: (maps(2, 4, 6, 7), boxes())),
    'RoIPool': ('input, rois', dict(output_size=2), lambda: (maps(2, 4, 6, 7), boxes())),
    'SAConv2d': ('x', dict(in_channels=4, out_channels=6, kernel_size=3, padding=1,
                           use_deform=True), lambda: flow()[:1]),
    'SigmoidFocalLoss': ('input, target', dict(gamma=2.0, alpha=0.25, weight=torch.ones(4)),
                         lambda: (maps(3, 4), torch.tensor([0, 3, 4]))),
    'SimpleRoIAlign': ('features, rois', dict(output_size=(2, 3), spatial_scale=1.0),
                       lambda: (maps(2, 4, 6, 7), boxes())),
    'SoftmaxFocalLoss': ('input, target', dict(gamma=2.0, alpha=0.25, weight=torch.ones(4)),
                         lambda: (maps(3, 4), torch.tensor([0, 3, 1]))),
    'SumCell': ('x1, x2, out_size=None', dict(in_channels=4, out_channels=4),
                lambda: (maps(1, 4, 3, 5), maps(1, 4, 6, 10))),
    'TINShift': ('input, shift', {}, lambda: (maps(2, 3, 4, 5), torch.tensor([[0, 1], [-1, 2]]))),
}


def table() -> dict[str, str]:
    """Operators that the package exports, and their modules, read without an import of them."""
    homes = {}
    for node in ast.walk(parse_python(Path(ops.__file__).read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', None) == 'lazy_names':
            lazy = ast.literal_eval(node.args[1])
            homes |= {name: module[1:] for module, names in lazy.items() for name in names
                      if module.startswith('.')}
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            homes |= {alias.name: node.module for alias in node.names}
    return {name: module for name, module in homes.items() if module not in NO_OPERATORS}


OPERATORS = table()


@pytest.mark.parametrize('name', OPERATORS)
def test_every_operator_has_cases(name):
    file = op_cases.FOLDER / f'{OPERATORS[name]}.py'
    assert file.is_file()
    named = re.search(rf'\b{name}\b', file.read_text(encoding='utf-8'))
    assert named or name in OTHER_NAMES or name in MODULES  # which run below


def test_cases_are_of_operators():
    for file in op_cases.FOLDER.glob('*.py'):
        assert any(find_spec(f'{package}.{file.stem}')
                   for package in ('mmcv_replace.ops', 'mmcv_replace.ops.sampling', 'mmseg.ops')
                   ), file.name


def described(name: str) -> str:
    """Docstrings of an operator, its bases, its module, and what that has for users."""
    operator = getattr(ops, name)
    module = sys.modules[operator.__module__]
    bases = [cls for cls in getattr(operator, '__mro__', ()) if cls.__module__.startswith('mmcv')]
    public = [value for key, value in vars(module).items() if not key.startswith('_')
              and getattr(value, '__module__', None) == module.__name__]
    return '\n'.join(str(part.__doc__) for part in (module, operator, *bases, *public))


@pytest.mark.parametrize('name', OPERATORS)
def test_docstrings_say_shapes_source_and_cost(name):
    assert getattr(ops, name).__doc__
    text = described(name)
    assert SHAPE.search(text)
    assert COST.search(text)
    assert bool(SOURCE.search(text)) != (name in NO_PAPER)


def test_the_documents_name_every_operator(repo_dir):
    """Or another one of its module."""
    for document, title in (('README.md', '### Operators'), ('README.zh-CN.md', '### 算子')):
        text = (repo_dir / document).read_text(encoding='utf-8').split(title)[1].split('\n## ')[0]
        named = {OPERATORS.get(name) for name in re.findall(r'`(\w+)`', text)}
        assert set(OPERATORS.values()) <= named


def parameters(text: str) -> list[str]:
    return text.split(', ')


@pytest.mark.parametrize('name', SIGNATURES)
def test_parameters_of_functions(name):
    found = getattr(ops, name)
    # mmcv.ops.psa_mask is the module, which has the function, as in mmcv.
    function = getattr(found, name) if inspect.ismodule(found) else found
    assert fits(parameters(SIGNATURES[name]), function)


@pytest.mark.parametrize(('module', 'operator', 'name'), [
    ('carafe', 'carafe', 'CARAFEFunction'),
    ('carafe', 'carafe_naive', 'CARAFENaiveFunction'),
    ('deform_conv', 'deform_conv2d', 'DeformConv2dFunction'),
    ('focal_loss', 'sigmoid_focal_loss', 'SigmoidFocalLossFunction'),
    ('focal_loss', 'softmax_focal_loss', 'SoftmaxFocalLossFunction'),
    ('masked_conv', 'masked_conv2d', 'MaskedConv2dFunction'),
    ('modulated_deform_conv', 'modulated_deform_conv2d', 'ModulatedDeformConv2dFunction'),
    ('psa_mask', 'psa_mask', 'PSAMaskFunction'),
    ('roi_align', 'roi_align', 'RoIAlignFunction'),
    ('roi_pool', 'roi_pool', 'RoIPoolFunction'),
    ('tin_shift', 'tin_shift', 'TINShiftFunction'),
])
def test_second_names_of_functions(module, operator, name):
    module = importlib.import_module(f'mmcv_replace.ops.{module}')
    second = getattr(module, name)
    assert second.__name__ == name
    assert second.__module__ == module.__name__
    assert second.apply is getattr(module, operator)


@pytest.mark.parametrize('name', MODULES)
def test_parameters_of_forward(name):
    assert fits(parameters(f'self, {MODULES[name][0]}'), getattr(ops, name).forward)


@pytest.mark.parametrize('name', OPERATORS)
def test_every_module_is_in_the_table(name):
    is_module = inspect.isclass(getattr(ops, name))
    assert is_module == (name in MODULES)


@pytest.mark.parametrize('name', [name for name in MODULES if MODULES[name][1] is not None])
def test_modules_travel(name):
    """Copies, and what another process gets, are the same module."""
    _, options, inputs = MODULES[name]
    module = getattr(ops, name)(**options).eval()
    expected = module(*inputs())
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == repr(module)
        state = other.state_dict()
        assert list(state) == list(module.state_dict())
        assert all(torch.equal(state[key], value) for key, value in module.state_dict().items())
        assert torch.equal(other(*inputs()), expected)
