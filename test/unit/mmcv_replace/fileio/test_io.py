import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import yaml

from mmcv_replace import FileClient, dump, load
from mmcv_replace.fileio import HardDiskBackend, load_text
from mmcv_replace.utils.errors import ConfigError, DataError

TREE = {'b': [1, 2.5, None, True], 'a': {'text': 'grün'}}


@pytest.mark.parametrize('name', ['a.json', 'a.yaml', 'a.yml', 'a.pkl', 'sub/a.pickle'])
def test_file_round_trip(tmp_path, name):
    path = tmp_path / name
    assert dump(TREE, path) is None
    back = load(str(path), trusted=True)
    assert back == TREE
    assert list(back) == ['b', 'a']


def test_what_is_written_is_what_other_readers_read(tmp_path):
    for name, read in (('a.json', json.loads), ('a.yaml', yaml.safe_load)):
        dump(TREE, tmp_path / name)
        assert read((tmp_path / name).read_text(encoding='utf-8')) == TREE
    assert pickle.loads(dump(TREE, file_format='pkl')) == TREE


def test_text_and_options():
    assert dump({'a': 1}, file_format='json') == '{"a": 1}'
    assert dump({'a': 1}, file_format='json', indent=1) == '{\n "a": 1\n}'
    assert dump({'a': 'ü'}, file_format='yaml') == 'a: ü\n'
    assert load_text('a: 1', 'yml') == {'a': 1}
    with pytest.raises(ConfigError, match='a pickle is not a text'):
        load_text('a: 1', 'pkl')


def test_open_files():
    file = io.StringIO()
    dump(TREE, file, file_format='json')
    file.seek(0)
    assert load(file, file_format='json') == TREE
    assert load(io.BytesIO(b'\xef\xbb\xbf{"a": 1}'), file_format='json') == {'a': 1}


def test_json_of_numpy_and_sets():
    assert dump({'a': np.arange(3), 'b': np.float32(1.5), 'c': {4}, 'd': range(2), 'e': Path('x')},
                file_format='json') == '{"a": [0, 1, 2], "b": 1.5, "c": [4], "d": [0, 1], "e": "x"}'
    with pytest.raises(TypeError, match='object cannot be written as JSON'):
        dump(object(), file_format='json')


def test_yaml_numbers_with_an_exponent():
    assert load_text('a: 1e-3\nb: 2E+4\nc: -.5e1\nd: 1.0e-3\ne: e1\nf: 1', 'yaml') == {
        'a': 1e-3, 'b': 2e4, 'c': -5.0, 'd': 1e-3, 'e': 'e1', 'f': 1}
    assert yaml.safe_load('a: 1e-3') == {'a': '1e-3'}  # the library itself is left alone


def test_pickle_is_refused_unless_trusted(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / 'ran',)

    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match=r'a\.pkl is a pickle.*trusted=True'):
        load(path)
    assert not (tmp_path / 'ran').exists()


def test_yaml_runs_no_code(tmp_path):
    with pytest.raises(DataError, match='not valid yaml'):
        load_text(f'!!python/object/apply:pathlib.Path.touch ["{tmp_path}/ran"]', 'yaml')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(('name', 'content', 'message'), [
    ('a.json', b'{"a": ', r'a\.json is not valid json: .*line 1.*; correct it, or fetch'),
    ('a.yaml', b'a: [',
     r'^(?!.*valid.*valid)\S*a\.yaml is not valid yaml: (?s:.*); correct it, or'),
    ('a.yaml', b'a: 2020-99-99', r'a\.yaml is not valid yaml: month'),
    ('a.json', b'\xff', r'a\.json is not a UTF-8 text file: .*; store it as UTF-8'),
    ('a.json', b'[' * 10**5, r'a\.json: the data are nested too deeply'),
    ('a.yaml', b'[' * 10**4, r'a\.yaml: the data are nested too deeply'),
])
def test_bad_content_names_the_file(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r'cannot read .*none\.json: No such file'):
        load(tmp_path / 'none.json')


def test_unknown_format():
    with pytest.raises(ConfigError, match=r"cannot tell the format of a\.txt from '\.txt': .*json"):
        load('a.txt')
    with pytest.raises(ConfigError, match='dump needs a file, or the file_format'):
        dump({})


def test_failed_dump_keeps_the_old_file(tmp_path):
    dump({'a': 1}, tmp_path / 'a.json')
    with pytest.raises(TypeError):
        dump({'a': object()}, tmp_path / 'a.json')
    assert load(tmp_path / 'a.json') == {'a': 1}


def test_keys_that_are_there_twice():
    for text, file_format in (('{"a": 1, "b": {"c": 2, "c": 3}}', 'json'),
                              ('a: 1\nb: {c: 2, "c": 3}', 'yaml')):
        assert load_text(text, file_format) == {'a': 1, 'b': {'c': 3}}
        with pytest.raises(DataError, match="the key 'c' is there twice"):
            load_text(text, file_format, unique_keys=True)


def test_what_a_yaml_merge_brings_is_not_there_twice():
    text = 'a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: [*a, *b], y: 4}\nd: {1: a, "1": b}'
    tree = load_text(text, 'yaml', unique_keys=True)
    assert tree == {'a': {'x': 1, 'y': 2}, 'b': {'x': 3, 'y': 2}, 'c': {'x': 1, 'y': 4},
                    'd': {1: 'a', '1': 'b'}}


def test_a_backend_by_arguments(tmp_path):
    @FileClient.register_backend('upper')
    class Upper(HardDiskBackend):
        def get(self, filepath):
            return super().get(filepath).upper()

        def put(self, obj, filepath):
            super().put(obj + b' ', filepath)

    path, args = tmp_path / 'a.json', {'backend': 'upper'}
    dump({'a': 1}, path, file_client_args=args)
    assert path.read_bytes() == b'{"a": 1} '
    assert load(path, file_client_args=args) == {'A': 1}


def test_what_is_no_file():
    with pytest.raises(TypeError, match='an open file, not 1'):
        load(1, 'json')
    with pytest.raises(TypeError, match='an open file, not 1'):
        dump({}, 1, 'json')
    with pytest.raises(TypeError, match='cannot tell the format'):
        dump({}, file_format='txt')
