import collections
import os
import random

import numpy as np
import pytest
import torch

from mmcv_replace.runner import get_host_info, get_time_str, obj_from_dict, set_random_seed, utils


def test_obj_from_dict():
    info = {'type': 'deque', 'iterable': [1, 2, 3]}
    made = obj_from_dict(info, collections, {'maxlen': 2, 'iterable': []})
    assert made == collections.deque([2, 3])
    assert made.maxlen == 2
    assert info == {'type': 'deque', 'iterable': [1, 2, 3]}
    assert obj_from_dict({'type': dict, 'a': 1}) == {'a': 1}


@pytest.mark.parametrize(('args', 'error', 'message'), [
    (({},), AssertionError, "a dict with a 'type'"),
    (([1],), AssertionError, "a dict with a 'type'"),
    (({'type': 3},), TypeError, 'a class or its name, not 3'),
    (({'type': 'deque'},), KeyError, "'deque' is the name of a class"),
    (({'type': 'deque'}, collections, 3), AssertionError, 'default_args is a dict'),
])
def test_what_obj_from_dict_refuses(args, error, message):
    with pytest.raises(error, match=message):
        obj_from_dict(*args)


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_set_random_seed(monkeypatch):
    monkeypatch.setenv('PYTHONHASHSEED', '1')
    set_random_seed(5)
    first = draws()
    assert os.environ['PYTHONHASHSEED'] == '5'
    set_random_seed(5)
    assert draws() == first
    monkeypatch.setattr(utils, 'get_dist_info', lambda: (2, 4))
    set_random_seed(3, use_rank_shift=True)
    assert draws() == first


def test_set_random_seed_passes_the_choice_of_kernels(monkeypatch):
    monkeypatch.setenv('PYTHONHASHSEED', '1')
    asked = []
    monkeypatch.setattr(utils, 'seed_everything', lambda *args: asked.append(args))
    set_random_seed(1, deterministic=True)
    assert asked == [(1, True)]


def test_names():
    assert len(get_time_str()) == len('20260101_120000')
    assert '@' in get_host_info()
