import io

import pytest

from mmcv_replace import BaseFileHandler, JsonHandler, PickleHandler, YamlHandler, dump, load
from mmcv_replace.fileio import register_handler
from mmcv_replace.utils.errors import ConfigTypeError, DataError

TREE = {'b': [1, 2.5, None], 'a': {'text': 'grün'}}


class Words(BaseFileHandler):
    """Words in lines; keeps the options that it gets."""

    def __init__(self, separator='\n'):
        self.separator = separator

    def load_from_fileobj(self, file, **kwargs):
        return file.read().split(self.separator), kwargs

    def dump_to_fileobj(self, obj, file, **kwargs):
        file.write('#' + self.dump_to_str(obj))

    def dump_to_str(self, obj, **kwargs):
        return self.separator.join(obj)


@pytest.mark.parametrize(('handler', 'options'), [
    (JsonHandler(), {}), (YamlHandler(), {}), (PickleHandler(), {'trusted': True})])
def test_round_trips(handler, options, tmp_path):
    path = str(tmp_path / 'a')
    handler.dump_to_path(TREE, path)
    assert handler.load_from_path(path, **options) == TREE
    content = handler.dump_to_str(TREE)
    stream = io.StringIO(content) if handler.str_like else io.BytesIO(content)
    assert handler.load_from_fileobj(stream, **options) == TREE
    assert type(content) is (str if handler.str_like else bytes)


def test_options_reach_the_libraries():
    import yaml
    assert JsonHandler().load_from_fileobj(io.StringIO('[1]'), parse_int=str) == ['1']
    assert JsonHandler().dump_to_str({'b': 1, 'a': 2}, sort_keys=True) == '{"a": 2, "b": 1}'
    assert YamlHandler().dump_to_str({'b': [1]}, default_flow_style=True) == '{b: [1]}\n'
    assert YamlHandler().load_from_fileobj(io.StringIO('1'), Loader=yaml.BaseLoader) == '1'
    assert PickleHandler().dump_to_str(1, protocol=2)[:2] == b'\x80\x02'


def test_yaml_of_mmcv_has_tuples():
    text = 'size: !!python/tuple\n- 1\n- !!python/tuple [2, 3]\n'
    assert load(io.StringIO(text), 'yaml') == {'size': (1, (2, 3))}


def test_pickles_are_refused(tmp_path):
    handler = PickleHandler()
    handler.dump_to_path(TREE, str(tmp_path / 'a'))
    with pytest.raises(DataError, match='is a pickle.*trusted=True'):
        handler.load_from_path(str(tmp_path / 'a'))


def test_register(tmp_path):
    assert register_handler('words')(Words) is Words
    register_handler(['w1', 'w2'], separator=' ')(Words)
    path = tmp_path / 'a.words'
    dump(['a', 'b'], path)
    assert path.read_text() == '#a\nb'
    assert load(path) == (['#a', 'b'], {})
    assert load(path, 'w2', option=1) == (['#a\nb'], {'option': 1})
    assert dump(['a', 'b'], file_format='w1') == 'a b'


@pytest.mark.parametrize(('formats', 'handler', 'message'), [
    (1, Words, 'a suffix or a list of them, not 1'), ([1], Words, 'a suffix or a list'),
    ('x', int, 'no subclass of BaseFileHandler'), ('x', 1, 'no subclass')])
def test_register_what_is_no_handler(formats, handler, message):
    with pytest.raises(ConfigTypeError, match=message):
        register_handler(formats)(handler)
