import sys

import pytest

from mmcv_replace.utils import (
    import_modules_from_strings,
    is_list_of,
    is_seq_of,
    is_str,
    is_tuple_of,
)
from mmcv_replace.utils.errors import ConfigError


def test_sequence_checks():
    assert is_str('a')
    assert not is_str(b'a')
    assert is_seq_of([1, 2], int)
    assert is_seq_of((1, 'a'), (int, str))
    assert is_seq_of([], int)
    assert not is_seq_of([1, 'a'], int)
    assert not is_seq_of({1, 2}, int)
    assert not is_seq_of(1, int)
    assert is_list_of([1], int)
    assert not is_list_of((1,), int)
    assert is_tuple_of((1,), int)
    assert not is_tuple_of([1], int)


def test_import_one_or_several():
    import json
    import os.path
    assert import_modules_from_strings('os.path') is os.path
    assert import_modules_from_strings(['os.path', 'json']) == [os.path, json]
    assert import_modules_from_strings([]) is None
    assert import_modules_from_strings(None) is None


def test_module_that_cannot_be_imported():
    with pytest.raises(ConfigError, match=r"custom_imports: cannot import 'no_such\.module': No "
                                          r"module named 'no_such'\. Start .* PYTHONPATH"):
        import_modules_from_strings('no_such.module')


def test_error_inside_the_module_is_kept(tmp_path, monkeypatch):
    (tmp_path / 'module_with_a_bug.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        import_modules_from_strings('module_with_a_bug')
    assert 'module_with_a_bug' not in sys.modules


def test_failure_may_be_allowed(caplog):
    import json
    assert import_modules_from_strings(['no_such_thing', 'json'], True) == [None, json]
    assert "cannot import 'no_such_thing'" in caplog.text


@pytest.mark.parametrize('imports', [3, ['os', 3], {'os': 1}])
def test_bad_imports(imports):
    with pytest.raises(ConfigError, match='a module name or a list of them'):
        import_modules_from_strings(imports)
