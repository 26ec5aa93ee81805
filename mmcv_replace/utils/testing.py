"""Comparisons for tests, which return whether what they expect is so."""
import runpy
import shlex
import sys
from collections.abc import Collection, Mapping
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

from .parrots_wrapper import _BatchNorm, _InstanceNorm


def check_python_script(cmd: str) -> None:
    """Run a Python file in this process, as in `python file.py --option value`; errors pass."""
    words = shlex.split(cmd)
    if words[0] == 'python':
        words = words[1:]
    with mock.patch.object(sys, 'argv', words):
        runpy.run_path(words[0], run_name='__main__')


def assert_dict_contains_subset(dict_obj: Mapping[Any, Any],
                                expected_subset: Mapping[Any, Any]) -> bool:
    """Whether the dict has all keys of the other one, with equal values."""
    return all(key in dict_obj and _equal(dict_obj[key], value)
               for key, value in expected_subset.items())


def assert_attrs_equal(obj: object, expected_attrs: Mapping[str, Any]) -> bool:
    """Whether the object has all these attributes, with equal values."""
    return all(hasattr(obj, name) and _equal(getattr(obj, name), value)
               for name, value in expected_attrs.items())


def assert_dict_has_keys(obj: Mapping[Any, Any], expected_keys: Collection[Any]) -> bool:
    """Whether the dict has all these keys."""
    return set(expected_keys) <= set(obj)


def assert_keys_equal(result_keys: Collection[Any], target_keys: Collection[Any]) -> bool:
    """Whether both hold the same keys, in any order."""
    return set(result_keys) == set(target_keys)


def assert_is_norm_layer(module: nn.Module) -> bool:
    """Whether the module is a normalisation layer."""
    return isinstance(module, (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm))


def assert_params_all_zeros(module: nn.Module) -> bool:
    """Whether the weight of the layer, and its bias if it has one, are 0."""
    bias = getattr(module, 'bias', None)
    return not module.weight.any() and (bias is None or not bias.any())


def _equal(value: Any, expected: Any) -> bool:
    """Equality also of arrays and tensors, alone or in lists, tuples and dicts."""
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        return isinstance(value, type(expected)) and value.shape == expected.shape and bool(
            (value == expected).all())
    if isinstance(expected, dict):
        return isinstance(value, dict) and value.keys() == expected.keys() and all(
            _equal(value[key], entry) for key, entry in expected.items())
    if isinstance(expected, (list, tuple)):
        return type(value) is type(expected) and len(value) == len(expected) and all(
            map(_equal, value, expected))
    return bool(value == expected)
