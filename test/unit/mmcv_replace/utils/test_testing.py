import sys

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.utils import (
    assert_attrs_equal,
    assert_dict_contains_subset,
    assert_dict_has_keys,
    assert_is_norm_layer,
    assert_keys_equal,
    assert_params_all_zeros,
    check_python_script,
)


def test_script_runs_as_the_main_program(tmp_path, capsys):
    script = tmp_path / 'script.py'
    script.write_text('import sys\nprint(__name__, sys.argv[1:])')
    before = sys.argv
    check_python_script(f"python {script} --name 'a b'")
    check_python_script(f'{script} x')
    assert capsys.readouterr().out == "__main__ ['--name', 'a b']\n__main__ ['x']\n"
    assert sys.argv is before


def test_errors_of_a_script_pass(tmp_path):
    (tmp_path / 'script.py').write_text('1 / 0')
    with pytest.raises(ZeroDivisionError):
        check_python_script(str(tmp_path / 'script.py'))


@pytest.mark.parametrize(('value', 'other'), [
    (1, 2), ('a', 'b'), ([1, [2]], [1, [3]]), ((1,), [1]), (torch.ones(2), torch.zeros(2)),
    (np.ones(2), np.ones(3)), ([torch.ones(1)], [torch.zeros(1)]), (dict(a=torch.ones(2)), {}),
])
def test_equal_parts(value, other):
    whole = dict(a=value, b=1)
    assert assert_dict_contains_subset(whole, dict(a=value))
    assert not assert_dict_contains_subset(whole, dict(a=other))
    assert not assert_dict_contains_subset({}, dict(a=value))
    thing = type('Thing', (), whole)
    assert assert_attrs_equal(thing, dict(a=value))
    assert not assert_attrs_equal(thing, dict(a=other))
    assert not assert_attrs_equal(thing, dict(c=1))


def test_keys():
    assert assert_dict_has_keys(dict(a=1, b=2), ['a'])
    assert not assert_dict_has_keys(dict(a=1), ['a', 'b'])
    assert assert_keys_equal(['a', 'b'], ['b', 'a'])
    assert not assert_keys_equal(['a'], ['a', 'b'])
    assert not assert_keys_equal(['a', 'b'], ['a'])


@pytest.mark.parametrize('layer', [nn.BatchNorm1d(2), nn.SyncBatchNorm(2), nn.InstanceNorm2d(2),
                                   nn.GroupNorm(1, 2), nn.LayerNorm(2)])
def test_norm_layers(layer):
    assert assert_is_norm_layer(layer)
    assert not assert_is_norm_layer(nn.Sequential(layer))


def test_zeros():
    layer = nn.Linear(2, 3)
    nn.init.zeros_(layer.weight)
    nn.init.ones_(layer.bias)
    assert not assert_params_all_zeros(layer)
    nn.init.zeros_(layer.bias)
    assert assert_params_all_zeros(layer)
    nn.init.ones_(layer.weight)
    assert not assert_params_all_zeros(layer)
