"""Fonts that have the characters of a text, in whatever script it is written.

The font of the user comes first: `MMSEG_FONT`, a file or its name in a folder of fonts, or several
with the separator of PATH. Then follow Pillow's own, which has Latin letters alone, well-known ones
of many scripts, and all others in the folders of fonts of Linux, Windows and macOS.
"""
import logging
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmcv_replace.utils.errors import ConfigError

VARIABLE = 'MMSEG_FONT'
# Tried before all others that are installed; all but the first have Chinese.
PREFERRED = (
    'DejaVuSans.ttf', 'NotoSansCJK-Regular.ttc', 'NotoSansSC-Regular.otf',
    'NotoSansCJKsc-Regular.otf', 'SourceHanSansSC-Regular.otf', 'wqy-zenhei.ttc',
    'wqy-microhei.ttc', 'DroidSansFallback.ttf', 'DroidSansFallbackFull.ttf', 'msyh.ttc',
    'simhei.ttf', 'PingFang.ttc', 'Hiragino Sans GB.ttc', 'STHeiti Light.ttc', 'Arial Unicode.ttf')
FOLDERS = (
    '/usr/share/fonts', '/usr/local/share/fonts', '~/.fonts', '~/.local/share/fonts',
    '$XDG_DATA_HOME/fonts', '$WINDIR/Fonts', '$LOCALAPPDATA/Microsoft/Windows/Fonts',
    '~/Library/Fonts', '/Library/Fonts', '/System/Library/Fonts',
    '/System/Library/AssetsV2/com_apple_MobileAsset_Font7')
SUFFIXES = ('.ttf', '.ttc', '.otf')
PACKAGE = 'fonts-noto-cjk'  # of Debian and Ubuntu; the name is similar elsewhere
UNFIT = ('LastResort',)  # draws a box for each character, and not the same one
PROBE = 16  # pixels of the glyphs by which a font is judged
_nowhere: set[str] = set()  # characters that no installed font has
_told: list[str] = []  # the first text that no font has; of others nothing is said
NO_CHARACTER = '\U0010ffff'  # drawn as any character that a font lacks


def find_font(text: str, size: int) -> Any | None:
    """A font of Pillow, `size` pixels high, that has all characters of a text; None without one.

    Raises ConfigError where MMSEG_FONT names no font.
    """
    name = _font_name(frozenset(text), os.environ.get(VARIABLE))
    return None if name is None else _load(name, size)


def choose_fonts(texts: Sequence[str], size: int,
                 short: Sequence[str] | None = None) -> list[tuple[Any, str]]:
    """A font for each text, and the text to draw: one font for all if there is one.

    Where no font has all of a text, `short` is drawn, or the text with '?' for what is lacking;
    once it is said which. White space, of which a name may hold any, becomes single blanks.
    """
    clean = [' '.join(text.split()) for text in texts]
    common = find_font(''.join(clean), size)
    if common is not None:
        return [(common, text) for text in clean]
    return [_fit(text, size, None if short is None else short[place])
            for place, text in enumerate(clean)]


def _fit(text: str, size: int, short: str | None) -> tuple[Any, str]:
    font = find_font(text, size)
    if font is not None:
        return font, text
    _tell(text)
    if short is not None:
        return _fit(short, size, None)
    # What most of its characters are in; with none of them, Latin letters are left.
    known = [char for char in text if find_font(char, size) is not None]
    base = find_font(''.join(char for char in known if char.isascii()), size)
    return base, ''.join(char if char.isascii() and char in known else '?' for char in text)


def _tell(text: str) -> None:
    if not _told:
        _told.append(text)
        logging.getLogger('mmseg').warning(
            'no font that is installed has all characters of %r: pictures show such texts '
            'incompletely. Install one (for Chinese, Japanese and Korean the package %s), or name '
            'the file of one in the variable %s', text, PACKAGE, VARIABLE)


@lru_cache(maxsize=4096)
def _font_name(characters: frozenset[str], own: str | None) -> str | None:
    """The file of the first font with all of the characters; '' is Pillow's own."""
    wanted = ''.join(sorted(characters, reverse=True))  # letters that most fonts have come last
    for name in (own or '').split(os.pathsep):
        if name and _first_missing(_user_font(name), wanted) is None:
            return name
    if not _nowhere.isdisjoint(characters):
        return None
    missing = set()
    for name in _candidates():
        try:
            missing.add(_first_missing(_load(name, PROBE), wanted))
        except OSError:  # damaged, or a kind of font that Pillow cannot draw in this size
            continue
        if None in missing:
            return name
    if len(missing) == 1:  # looking through thousands of fonts takes a moment: once a character
        _nowhere.update(missing)
    return None


def _user_font(name: str) -> Any:
    try:
        return _load(name, PROBE)
    except OSError as error:
        raise ConfigError(f'{VARIABLE}={name!r} is no font that can be read ({error}): give the '
                          'file of one, .ttf, .ttc or .otf, or unset the variable') from error


def _candidates() -> Iterator[str]:
    yield ''
    files = _installed()
    for name in PREFERRED:
        yield from files.get(name, ())
    for name, paths in files.items():
        if name not in PREFERRED and not name.startswith(UNFIT):
            yield from paths


@lru_cache(maxsize=1)
def _installed() -> dict[str, list[str]]:
    """File name -> files of all fonts in the folders of this system, in the order of their names.
    """
    found: dict[str, list[str]] = {}
    for folder in _folders():
        for place, _, names in os.walk(folder):
            for name in names:
                if name.lower().endswith(SUFFIXES):
                    found.setdefault(name, []).append(os.path.join(place, name))
    return dict(sorted(found.items()))


def _folders() -> Iterator[str]:
    shared = [str(Path(folder, 'fonts')) for folder in
              os.environ.get('XDG_DATA_DIRS', '').split(os.pathsep) if folder]
    for folder in dict.fromkeys((*FOLDERS, *shared)):
        place = os.path.expanduser(os.path.expandvars(folder))
        if not place.startswith(('$', '~')):  # a variable that this system does not have
            yield place


@lru_cache(maxsize=64)
def _load(name: str, size: int) -> Any:
    from PIL import ImageFont  # late: most runs draw no text
    return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)


def _first_missing(font: Any, text: str) -> str | None:
    """The first character for which the font has no glyph; None where there is none."""
    def glyph(char: str) -> tuple[tuple[int, int], bytes]:
        mask = font.getmask(char)
        return mask.size, bytes(mask)

    missing = glyph(NO_CHARACTER)
    return next((char for char in text if char != ' ' and glyph(char) == missing), None)
