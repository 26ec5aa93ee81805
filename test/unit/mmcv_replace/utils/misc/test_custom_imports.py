import sys

import pytest

from mmcv_replace.utils import import_modules_from_strings
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError, MissingModuleError
from mmcv_replace.utils.misc.custom_imports import read_custom_imports


def test_import_one_or_several():
    import json
    import os.path
    assert import_modules_from_strings('os.path') is os.path
    assert import_modules_from_strings(['os.path', 'json']) == [os.path, json]
    assert import_modules_from_strings([]) is None
    assert import_modules_from_strings(None) is None


def test_module_that_cannot_be_imported():
    with pytest.raises(MissingModuleError, match=(
            r"custom_imports: cannot import 'no_such\.module': No module named 'no_such'\. Start "
            '.* PYTHONPATH')):
        import_modules_from_strings('no_such.module')


def test_error_inside_the_module_is_kept(tmp_path, monkeypatch):
    (tmp_path / 'module_with_a_bug.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        import_modules_from_strings('module_with_a_bug')
    assert 'module_with_a_bug' not in sys.modules


@pytest.mark.parametrize(('line', 'reason'), [
    ('from json import no_such_name', "cannot import name 'no_such_name' from 'json'"),
    ('import no_such_package', "No module named 'no_such_package'")])
def test_a_module_is_there_but_not_what_it_imports(tmp_path, monkeypatch, line, reason):
    (tmp_path / 'module_that_imports.py').write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingModuleError, match=(
            f"cannot import 'module_that_imports': {reason}.*Correct that import, which "
            'module_that_imports or a module that it imports asks for$')):
        import_modules_from_strings('module_that_imports')


def test_the_error_is_an_import_error():
    with pytest.raises(ImportError, match="'a b' is not the name of a module"):
        import_modules_from_strings('a b')


def test_failure_may_be_allowed():
    import json
    with pytest.warns(UserWarning, match="cannot import 'no_such_thing'"):
        assert import_modules_from_strings(['no_such_thing', 'json'], True) == [None, json]


@pytest.mark.parametrize('imports', [3, ['os', 3], {'os': 1}])
def test_bad_imports(imports):
    with pytest.raises(ConfigTypeError, match='a module name or a list of them'):
        import_modules_from_strings(imports)


def test_arguments_in_a_config():
    assert read_custom_imports('a') == {'imports': 'a'}
    assert read_custom_imports(['a', 'b']) == {'imports': ['a', 'b']}
    settings = dict(imports=['a'], allow_failed_imports=True)
    assert read_custom_imports(settings) == settings


@pytest.mark.parametrize('value', [dict(import_='a'), dict(imports='a', allow=True), {}])
def test_wrong_settings(value):
    with pytest.raises(ConfigError, match='takes imports and allow_failed_imports, not '
                                          f'{", ".join(value)}: write custom_imports = dict'):
        read_custom_imports(value)
