"""Pages are one file, ask no network, and show every text as it is."""
import base64
import json
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.visualization import Html, Page, table, tag

EVIL = '<script>alert(1)</script> & "quotes" \u80cc\u666f'


class Reader(HTMLParser):
    """Elements of a page as (name, attributes, text), with the text that stands in them directly.
    """

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, name, attributes):
        entry = [name, dict(attributes), '']
        self.found.append(entry)
        if name not in ('meta', 'img', 'br'):
            self.open.append(entry)

    def handle_endtag(self, name):
        assert self.open.pop()[0] == name

    def handle_data(self, data):
        if self.open:
            self.open[-1][2] += data

    def all(self, name):
        return [(attributes, text) for found, attributes, text in self.found if found == name]


def test_texts_are_escaped():
    page = Page(EVIL, 'zh')
    page.add(EVIL, tag('p', EVIL, title=EVIL, cls='soft', data_x=0, hidden=True, id=None,
                       lang=False))
    page.add(table(['name', EVIL], [[EVIL, 1]], numbers=[1]))
    read = Reader(page.html())
    assert read.all('title') == [({}, EVIL)]
    assert read.all('html')[0][0] == {'lang': 'zh'}
    assert read.all('p') == [
        ({'title': EVIL, 'class': 'soft', 'data-x': '0', 'hidden': None}, EVIL)]
    assert read.all('td') == [({}, EVIL), ({'class': 'number'}, '1')]
    assert read.all('th')[1] == ({'class': 'number'}, EVIL)
    assert not read.all('script')
    assert read.all('body')[0][1].strip() == EVIL
    page.add(Html('<b>bold</b>'))
    assert Reader(page.html()).all('b') == [({}, 'bold')]


def test_a_file_name_with_bytes_of_no_encoding(tmp_path):
    page = Page('t')
    page.add(tag('p', 'a\udcff.png'))
    page.write(tmp_path / 'page.html')
    assert 'a\\udcff.png' in (tmp_path / 'page.html').read_text(encoding='utf-8')


def test_data_come_back_and_end_nothing():
    page = Page('t')
    value = {'text': '</script><!-- <script>', 'array': np.arange(3), 'nan': float('nan'),
             'many': [np.float32(0.5), np.inf, None, True, 1], 'surrogate': '\udcff'}
    page.data('facts', value)
    (attributes, text), = Reader(page.html()).all('script')
    assert attributes == {'type': 'application/json', 'id': 'facts'}
    assert json.loads(text) == {
        'text': value['text'], 'array': [0, 1, 2], 'nan': None, 'surrogate': '\udcff',
        'many': [0.5, None, None, True, 1]}
    with pytest.raises(DataError, match="data 'facts' already"):
        page.data('facts', 1)


def test_scripts_and_styles_stay_whole():
    page = Page('t')
    page.script('const a = "</script>";')
    page.style('p::after { content: "</style>"; }')
    page.add(tag('p', 'after'))
    read = Reader(page.html())
    assert read.all('script') == [({}, 'const a = "<\\/script>";')]
    assert 'p::after' in read.all('style')[1][1]
    assert read.all('p') == [({}, 'after')]


def test_pictures_are_inside():
    picture = np.zeros((6, 9, 3), np.uint8)
    picture[:3] = (1, 2, 3)
    page = Page('t')
    page.add(page.picture(picture, 'a "picture"', 'png', cls='wide'))
    page.add(page.picture(picture, 'other'))
    (first, _), (second, _) = Reader(page.html()).all('img')
    assert (first['alt'], first['width'], first['height'], first['class']) == (
        'a "picture"', '9', '6', 'wide')
    kind, _, content = first['src'].partition(',')
    assert kind == 'data:image/png;base64'
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), 1)
    assert np.array_equal(decoded, picture)
    assert second['src'].startswith('data:image/jpeg;base64,')


def test_no_network_is_asked():
    text = Page('t').html()
    policy, = (attributes['content'] for attributes, _ in Reader(text).all('meta')
               if attributes.get('http-equiv') == 'Content-Security-Policy')
    assert policy.startswith("default-src 'none'")
    assert 'http://' not in text
    assert 'https://' not in text
    assert 'prefers-color-scheme: dark' in text


def test_a_page_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match=r'cannot write the page .*page\.html: .*; name another '
                                        'place for it'):
        Page('t').write(tmp_path / 'file' / 'page.html')
