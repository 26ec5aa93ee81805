"""A font is found for the characters of a text, and it is said once where none is."""
import logging

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.visualization import find_font, fonts
from mmseg.visualization.fonts import choose_fonts

LATIN, CHINESE, THAI = 'road 12', '\u80cc\u666f', '\u0e16\u0e19\u0e19'
ALPHABET = ' 0123456789abcdefghijklmnopqrstuvwxyz?'


def test_latin_letters_are_in_the_font_of_pillow():
    font = find_font(LATIN, 20)
    assert font.size == 20
    assert 'Aileron' in font.getname()[0]
    assert find_font(CHINESE, 20) is None


def test_an_installed_font_is_found_by_its_characters(no_fonts, make_font):
    deep = no_fonts / 'truetype' / 'some'
    deep.mkdir(parents=True)
    make_font(no_fonts / 'aaa.ttf', THAI)
    make_font(deep / 'zzz.ttf', CHINESE + ALPHABET)
    (no_fonts / 'damaged.ttf').write_bytes(b'no font')
    (no_fonts / 'readme.txt').write_text(CHINESE)
    assert find_font(CHINESE, 12).getname()[0] == 'zzz'
    assert find_font('1 ' + CHINESE, 12).getname()[0] == 'zzz'
    assert find_font(THAI, 12).getname()[0] == 'aaa'
    assert find_font(CHINESE + THAI, 12) is None


def test_well_known_fonts_come_before_others(no_fonts, make_font):
    make_font(no_fonts / 'aaa.ttf', CHINESE)
    make_font(no_fonts / 'msyh.ttc', CHINESE)
    make_font(no_fonts / 'wqy-zenhei.ttc', CHINESE)
    assert find_font(CHINESE, 12).getname()[0] == 'wqy-zenhei'


def test_a_font_of_boxes_is_left_out(no_fonts, make_font):
    make_font(no_fonts / 'LastResort.ttf', CHINESE)
    assert find_font(CHINESE, 12) is None


@pytest.mark.parametrize('folder', ['home', 'shared', 'variable'])
def test_folders_of_several_systems(tmp_path, make_font, monkeypatch, folder):
    place = tmp_path / folder / 'fonts'
    place.mkdir(parents=True)
    make_font(place / 'one.ttf', CHINESE)
    monkeypatch.setattr(fonts, 'FOLDERS', ('$NO_SUCH_VARIABLE/fonts', '~/fonts', '$SOME/fonts'))
    if folder == 'home':
        monkeypatch.setenv('HOME', str(tmp_path / folder))
        monkeypatch.setenv('USERPROFILE', str(tmp_path / folder))
    elif folder == 'shared':
        monkeypatch.setenv('XDG_DATA_DIRS', f'{tmp_path / "none"}{fonts.os.pathsep}'
                                            f'{tmp_path / folder}')
    else:
        monkeypatch.setenv('SOME', str(tmp_path / folder))
    assert find_font(CHINESE, 12).getname()[0] == 'one'


def test_the_users_font_comes_first(tmp_path, make_font, monkeypatch):
    latin = make_font(tmp_path / 'mine.ttf', ALPHABET)
    chinese = make_font(tmp_path / 'han.ttf', CHINESE)
    monkeypatch.setenv(fonts.VARIABLE, str(latin))
    assert find_font(LATIN, 12).getname()[0] == 'mine'
    assert 'Aileron' in find_font('ROAD', 12).getname()[0]
    monkeypatch.setenv(fonts.VARIABLE, f'{latin}{fonts.os.pathsep}{chinese}')
    assert find_font(CHINESE, 12).getname()[0] == 'han'
    assert find_font(LATIN, 12).getname()[0] == 'mine'


def test_a_users_font_that_is_none(tmp_path, monkeypatch):
    file = tmp_path / 'no.ttf'
    file.write_text('none')
    for value in (str(file), str(tmp_path / 'missing.ttf')):
        monkeypatch.setenv(fonts.VARIABLE, value)
        with pytest.raises(ConfigError, match=r"MMSEG_FONT='.*\.ttf' is no font .*unset the"):
            find_font('a', 12)


def test_texts_in_one_font_or_each_in_its_own(no_fonts, make_font):
    make_font(no_fonts / 'han.ttf', CHINESE + ALPHABET)
    one = choose_fonts(['1 ' + CHINESE, LATIN], 12)
    assert [font.getname()[0] for font, _ in one] == ['han', 'han']
    make_font(no_fonts / 'thai.ttf', THAI)
    for cached in (fonts._font_name, fonts._installed):
        cached.cache_clear()
    each = choose_fonts([CHINESE, THAI, LATIN], 12)
    assert [font.getname()[0] for font, _ in each][:2] == ['han', 'thai']
    assert [text for _, text in each] == [CHINESE, THAI, LATIN]


def test_what_no_font_has_is_said_once(caplog):
    with caplog.at_level(logging.WARNING, 'mmseg'):
        chosen = choose_fonts(['0 road', f'1 {CHINESE}', f'2 {THAI}'], 14, ['0', '1', '2'])
        assert [text for _, text in chosen] == ['0 road', '1', '2']
        assert [text for _, text in choose_fonts([f'a {CHINESE} b'], 14)] == ['a ?? b']
    told, = caplog.messages
    assert f'1 {CHINESE}' in told
    assert 'fonts-noto-cjk' in told
    assert 'MMSEG_FONT' in told


def test_white_space_becomes_blanks():
    assert choose_fonts(['a\nb\t\u3000c', ' '], 12)[0][1] == 'a b c'
