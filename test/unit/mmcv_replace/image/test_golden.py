"""Calls of functions of mmcv 1.7.2 on small arrays give its results, value by value."""
import json

import cv2
import numpy as np
import pytest

from mmcv_replace import image

# OpenCV 4 rounds the places of pixels to 1/32 before it interpolates, OpenCV 5 does not: then a
# fifth of the values differ by a few steps. Places that are whole numbers are the same.
WARPS = ('imrotate', 'imshear')


@pytest.fixture(scope='module')
def golden(shared_dir):
    file = shared_dir / 'reference/golden_mmcv/image.json'
    if not file.is_file():
        pytest.skip(f'no {file.name}')
    return json.loads(file.read_text())


@pytest.fixture(scope='module')
def arrays():
    random = np.random.RandomState(7)
    u8 = random.randint(0, 256, (14, 18, 3)).astype(np.uint8)
    gray = random.randint(0, 256, (14, 18)).astype(np.uint8)
    return dict(u8=u8, gray=gray, f32=random.rand(14, 18, 3).astype(np.float32))


def argument(value):
    """Arrays are written as a list and a type, tuples as lists."""
    if isinstance(value, dict):
        return np.array(value['array'], value['dtype'])
    return tuple(value) if isinstance(value, list) else value


def fault(case, arrays, same_opencv):
    """What is wrong with the result of a call, or None."""
    if case['function'] in WARPS and not same_opencv and 'error' not in case['result']:
        return None
    args = [argument(value) for value in case['args']]
    if case['array'] is not None:
        args.insert(0, arrays[case['array']].copy())
    kwargs = {name: argument(value) for name, value in case['kwargs'].items()}
    try:
        result = getattr(image, case['function'])(*args, **kwargs)
    except Exception as error:
        expected = dict(case['result']).get('error') if 'error' in case['result'] else 'a result'
        names = [kind.__name__ for kind in type(error).__mro__]
        return None if expected in names else f'raises {names[0]} ({error}), not {expected}'
    return difference(result, case['result'])


def difference(result, expected):
    if isinstance(expected, list):
        if len(result) != len(expected):
            return f'{len(result)} results, not {len(expected)}'
        return next(filter(None, map(difference, result, expected)), None)
    if not isinstance(expected, dict):
        return None if result == expected else f'{result}, not {expected}'
    if 'error' in expected:
        return f'no {expected["error"]}'
    if result.dtype != expected['dtype'] or list(result.shape) != expected['shape']:
        return f'{result.dtype} {result.shape}, not {expected["dtype"]} {expected["shape"]}'
    # The file has six decimals.
    off = np.abs(result.ravel() - np.array(expected['values'])).max(initial=0)
    return None if off <= 1e-6 * max(1, np.abs(result).max(initial=0)) else f'off by {off}'


def test_results_of_mmcv(golden, arrays):
    same_opencv = golden['opencv'].partition('.')[0] == cv2.__version__.partition('.')[0]
    wrong = []
    for case in golden['cases']:
        problem = fault(case, arrays, same_opencv)
        if problem:
            wrong.append(f'{case["function"]}({case["array"]}, {case["args"]}, {case["kwargs"]}): '
                         f'{problem}')
    assert not wrong, '\n'.join(wrong)
    assert len(golden['cases']) > 60


def test_a_wrong_result_is_noticed(arrays):
    case = dict(function='imflip', array='gray', args=[], kwargs={}, result=dict(
        dtype='uint8', shape=[14, 18], values=arrays['gray'].ravel().tolist()))
    assert 'off by' in fault(case, arrays, True)
    assert 'no ValueError' in fault({**case, 'result': {'error': 'ValueError'}}, arrays, True)
    assert 'raises ConfigKeyError' in fault({**case, 'args': ['x']}, arrays, True)
    assert 'uint8' in fault({**case, 'result': {**case['result'], 'shape': [18, 14]}}, arrays, True)
