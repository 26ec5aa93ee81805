"""Fonts made for a test, and a machine that has no others."""
import pytest

from mmseg.visualization import fonts


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch, tmp_path):
    """Only Pillow's own font, and those that a test puts into the folder that is returned."""
    folder = tmp_path / 'fonts'
    folder.mkdir()
    monkeypatch.setattr(fonts, 'FOLDERS', (str(folder),))
    monkeypatch.setattr(fonts, '_told', [])
    monkeypatch.delenv('XDG_DATA_DIRS', raising=False)
    monkeypatch.delenv(fonts.VARIABLE, raising=False)

    def forget():
        for cached in (fonts._font_name, fonts._installed, fonts._load):
            cached.cache_clear()

    forget()
    yield folder
    forget()


@pytest.fixture
def make_font():
    """`make_font(file, characters)` writes a font in which each character is a filled square."""
    builder = pytest.importorskip('fontTools.fontBuilder', reason='fonttools makes the fonts')
    pens = pytest.importorskip('fontTools.pens.ttGlyphPen')

    def square(inner):
        pen = pens.TTGlyphPen(None)
        for low, high in ((0, 800), (200, 200 + inner)):
            pen.moveTo((low, low))
            for place in ((low, high), (high, high), (high, low)):
                pen.lineTo(place)
            pen.closePath()
        return pen.glyph()

    def make(file, characters):
        characters = dict.fromkeys(characters)
        names = ['.notdef', *(f'u{ord(char):04X}' for char in characters)]
        font = builder.FontBuilder(1000, isTTF=True)
        font.setupGlyphOrder(names)
        font.setupCharacterMap({ord(char): f'u{ord(char):04X}' for char in characters})
        font.setupGlyf({name: square(100 + 20 * place) for place, name in enumerate(names)})
        font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
        font.setupHorizontalHeader(ascent=900, descent=-100)
        font.setupNameTable(dict(familyName=file.stem, styleName='Regular'))
        font.setupOS2()
        font.setupPost()
        font.save(file)
        return file

    return make
