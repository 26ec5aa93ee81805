import ast
import gc

import pytest

from mmcv_replace.utils.config.syntax import parse_python


class Cycle:
    """Garbage that parses when it is collected, as code of another thread may at that moment."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        ast.parse('1')


@pytest.fixture
def frequent_collection():
    before = gc.get_threshold()
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures('frequent_collection')
def test_garbage_that_parses_does_not_disturb_a_text():
    text = 'x = [' + ','.join('f(a, b=[1, 2])' for _ in range(1000)) + ']'
    for _ in range(20):
        Cycle()
        assert ast.dump(parse_python(text)) == ast.dump(parse_python(text))
    assert gc.isenabled()


def test_the_arguments_reach_the_parser():
    assert ast.dump(parse_python('1 + 2', mode='eval')) == ast.dump(ast.parse('1 + 2', mode='eval'))
    with pytest.raises(SyntaxError) as caught:
        parse_python('a b', 'config.py')
    assert caught.value.filename == 'config.py'
    assert gc.isenabled()


def test_collection_that_is_off_stays_off():
    gc.disable()
    try:
        parse_python('1')
        assert not gc.isenabled()
    finally:
        gc.enable()
