"""Config files that cannot be read: the error names file, line and cause."""
import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError


def test_error_in_the_file_shows_file_line_and_cause(write):
    write('bad.py', 'a = 1\nb = dict(c=undefined_name)\n')
    write('leaf.py', "_base_ = 'bad.py'")
    with pytest.raises(ConfigError) as caught:
        Config.fromfile('leaf.py')
    assert 'bad.py, line 2: NameError: name \'undefined_name\'' in str(caught.value)
    assert 'b = dict(c=undefined_name)' in str(caught.value)


@pytest.mark.parametrize(('text', 'message'), [
    ('a = (1\nb = 2\n', r'bad\.py, line 1: .*\(1'),
    ('a = 1\n\x00', r'bad\.py'),
    ('a = ' + '(' * 5000, r'bad\.py'),
    ('import sys\nsys.exit(3)\n', r'bad\.py, line 2: SystemExit: 3'),
    ('def f():\n    raise OSError("gone")\n\nx = f()', r'bad\.py, line 2: OSError: gone'),
    ('x = [1]\nx.append(x)', r"bad\.py: 'x' is nested too deeply, contains itself"),
    ('import pathlib\nd = dict(p=[pathlib.Path("/")])',
     r"bad\.py: 'd\.p\.0' is a PosixPath.*Convert it .*underscore"),
    ('d = {b"x": 1}', 'is a bytes'),
    ('filename = "x"', r"bad\.py: 'filename' cannot be a key at the top.*reserved"),
    ('pretty_text = "x"', "'pretty_text' cannot be a key"),
])
def test_bad_python_file(write, text, message):
    write('bad.py', text)
    with pytest.raises(ConfigError, match=message):
        Config.fromfile('bad.py')


@pytest.mark.parametrize(('name', 'text', 'message'), [
    ('bad.json', '{"a": }', r'bad\.json is not valid json: .*line 1'),
    ('bad.json', '[' * 100000, r'bad\.json.*nested too deeply'),
    ('bad.json', '[1]', r'bad\.json: a config is a mapping of keys to values, not \[1\]'),
    ('bad.yaml', 'a: [1', r'bad\.yaml is not valid yaml: (.|\n)*line 1'),
    ('bad.yaml', '3: x', 'bad.yaml: 3 cannot be a key at the top of a config'),
    ('bad.yaml', 'day: 2020-01-01', "'day' is a date"),
    ('bad.yaml', 'a: !!python/object/apply:os.system [ls]', 'not valid yaml'),
    ('bad.txt', 'a = 1', r"bad\.txt: the format of a config is one of \.py, .*, not '\.txt'"),
])
def test_bad_data_file(write, name, text, message):
    write(name, text)
    with pytest.raises(ConfigError, match=message):
        Config.fromfile(name)


def test_yaml_aliases_cannot_blow_up_the_memory(write):
    rows = ['a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]']
    rows += [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]' for i in range(1, 9)]
    write('bomb.yaml', '\n'.join(rows))
    with pytest.raises(ConfigError, match='too large for a config'):
        Config.fromfile('bomb.yaml')


def test_long_range_is_refused_before_it_is_a_list(write):
    write('long.py', 'x = range(10**30)')
    with pytest.raises(ConfigError, match="'x' is nested too deeply, .* or is too large"):
        Config.fromfile('long.py')


def test_file_that_is_not_text(tmp_path):
    (tmp_path / 'a.py').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ConfigError, match=r'a\.py is not a UTF-8 text file'):
        Config.fromfile(tmp_path / 'a.py')


def test_byte_order_mark_is_no_content(tmp_path):
    (tmp_path / 'a.py').write_bytes(b'\xef\xbb\xbfx = 1')
    assert Config.fromfile(tmp_path / 'a.py') == {'x': 1}


def test_missing_file_names_near_ones(write):
    write('configs/pspnet_r50.py', 'x = 1')
    write('configs/other.txt', '')
    with pytest.raises(ConfigError, match=r'configs/pspnet_r5\.py does not exist; .*configs has '
                                          r'pspnet_r50\.py$'):
        Config.fromfile('configs/pspnet_r5.py')
    with pytest.raises(ConfigError, match=r'\(folder nowhere: No such file'):
        Config.fromfile('nowhere/a.py')
