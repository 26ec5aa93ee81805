import traceback

import pytest

from mmcv_replace.utils import errors
from mmcv_replace.utils.errors import ConfigError, RegistryError, UserError, add_note


def test_message_is_shown_as_written():
    assert str(RegistryError('line 1\nline 2')) == 'line 1\nline 2'  # KeyError alone shows a repr


@pytest.mark.parametrize(('name', 'builtins'), [
    ('RegistryError', (KeyError, AssertionError)), ('RegistryTypeError', (KeyError, TypeError)),
    ('ConfigError', (ValueError, AssertionError)), ('ConfigTypeError', (ValueError, TypeError)),
    ('ConfigKeyError', (ValueError, KeyError)), ('ConfigSyntaxError', (ValueError, SyntaxError)),
    ('ConfigFormatError', (ValueError, TypeError, OSError)),
    ('MissingFileError', (ValueError, FileNotFoundError)),
    ('MissingModuleError', (ValueError, ImportError)),
    ('ArgumentError', (TypeError, AssertionError)),
    ('MissingDataError', (ValueError, FileNotFoundError)),
])
def test_errors_are_the_builtin_ones_too(name, builtins):
    error = getattr(errors, name)('what is wrong\nand the remedy')
    assert isinstance(error, UserError)
    assert all(isinstance(error, builtin) for builtin in builtins)
    assert str(error) == 'what is wrong\nand the remedy'


def test_note_is_shown_with_the_error():
    error = ConfigError('bad value')
    add_note(error, 'while building x')
    assert 'while building x' in ''.join(traceback.format_exception(error))


def test_note_without_the_support_of_python():
    class Old:  # what an exception of Python 3.10 has of it
        args = ('bad value', 3)

    old = Old()
    add_note(old, 'while building x')
    assert old.args == ('bad value\nwhile building x', 3)
