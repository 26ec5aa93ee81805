import pytest

from mmcv_replace.utils.suggest import printable


@pytest.mark.parametrize(('text', 'shown'), [
    ('a b "c" \'d\' ünï 日本', 'a b "c" \'d\' ünï 日本'),
    ('two\nlines\r\t', r'two\nlines\r\t'),
    ('\x1b[31mred\x07', r'\x1b[31mred\x07'),
    ('right \u202e to left', r'right \u202e to left'),
    ('byte \udcff', r'byte \udcff'),
    ('', '')])
def test_only_what_cannot_be_printed_is_escaped(text, shown):
    assert printable(text) == shown
    printable(text).encode()
