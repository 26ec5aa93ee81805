import os.path

import pytest

from mmcv_replace.utils.errors import MissingModuleError
from mmcv_replace.utils.misc.optional import has_package, import_optional


def test_what_is_installed():
    assert import_optional('os.path', 'the test', 'nothing') is os.path


def test_what_is_not():
    assert has_package('os.path')
    assert not has_package('no_such.part')
    with pytest.raises(MissingModuleError, match=(
            r"^the test needs no_such.part, which cannot be imported \(No module named 'no_such'\)"
            ': pip install x$')):
        import_optional('no_such.part', 'the test', 'pip install x')
