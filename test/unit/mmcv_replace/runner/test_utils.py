import collections

from mmcv_replace.runner import get_host_info, get_time_str, obj_from_dict


def test_obj_from_dict():
    info = {'type': 'deque', 'iterable': [1, 2, 3]}
    made = obj_from_dict(info, collections, {'maxlen': 2, 'iterable': []})
    assert made == collections.deque([2, 3])
    assert made.maxlen == 2
    assert info == {'type': 'deque', 'iterable': [1, 2, 3]}
    assert obj_from_dict({'type': dict, 'a': 1}) == {'a': 1}


def test_names():
    assert len(get_time_str()) == len('20260101_120000')
    assert '@' in get_host_info()
