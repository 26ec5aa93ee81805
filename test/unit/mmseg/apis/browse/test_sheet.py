"""Samples as PNGs and in windows."""
import re

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.browse import BrowseOptions, browse_dataset, sheet
from mmseg.visualization import overlay, side_by_side

from .conftest import PIPELINE


def test_pngs(make_config, folder):
    cfg = make_config(classes=['road', 'tree', 'sky', 'car'])
    text, code = browse_dataset(cfg, BrowseOptions(
        number=2, epochs=[0, 3], png=True, page=False, output_dir=folder / 'out', opacity=1.0))
    assert code == 0
    assert text == f'{folder / "out/train"}: 4 pictures'
    files = sorted((folder / 'out/train').iterdir())
    assert [file.name for file in files] == [
        '000000_0_epoch0.png', '000000_0_epoch3.png', '000002_2_epoch0.png', '000002_2_epoch3.png']
    assert not (folder / 'out/train.html').exists()
    picture = cv2.imread(str(files[0]))
    image = cv2.imread(str(folder / 'img/0.png'))
    top = next(row for row in range(40) if np.array_equal(picture[row:row + 32, :40], image))
    label = cv2.imread(str(folder / 'ann/0.png'), cv2.IMREAD_UNCHANGED)
    painted = picture[top:top + 32, 200 + 8:200 + 48]
    assert (painted[label == 255] == 0).all()
    assert (painted[label == 1] == (0, 0, 128)).all()


def test_a_failure_is_drawn(make_config, folder):
    (folder / 'img/0.png').write_bytes(b'no image')
    text, code = browse_dataset(make_config(), BrowseOptions(
        indices=[0], png=True, page=False, output_dir=folder / 'out'))
    assert code == 1
    assert '0 0.png' in text
    assert cv2.imread(str(folder / 'out/train/000000_0_epoch0.png')).shape[1] == 400


@pytest.fixture
def drawn(monkeypatch):
    """The panels of each sheet."""
    calls = []

    def noted(panels, **settings):
        calls.append(panels)
        return side_by_side(panels, **settings)

    monkeypatch.setattr(sheet, 'side_by_side', noted)
    return calls


def test_long_errors_and_many_steps_stay_readable(make_config, folder, drawn):
    """Nothing is cut, and there are several rows."""
    words = ' '.join(f'word{place}' for place in range(40))

    def broken(results):
        raise ValueError(words)

    steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
             dict(type='RandomFlip', prob=1.0),
             *(dict(type='RandomRotate', prob=1.0, degree=(90, 90)) for _ in range(5)), broken]
    browse_dataset(make_config(steps), BrowseOptions(
        indices=[0], png=True, page=False, output_dir=folder / 'out', max_side=100))
    assert words in drawn[0][-1][0]
    assert drawn[0][2][0] == 'RandomFlip\nflip horizontal'
    picture = cv2.imread(str(folder / 'out/train/000000_0_epoch0.png'))
    assert picture.shape[1] < 5 * 108 + 100
    assert picture.shape[0] > 3 * 32


def test_the_sample_in_the_place_of_a_dropped_one(make_config, folder, drawn):
    def drop_first(results):
        return None if results['ori_filename'] == '0.png' else results

    browse_dataset(make_config([*PIPELINE[:2], drop_first, *PIPELINE[2:]]), BrowseOptions(
        indices=[0], png=True, page=False, output_dir=folder / 'out'))
    titles = [title for title, _ in drawn[0]]
    assert titles[0].startswith('LoadImageFromFile\n')
    assert re.search(r'drop_first has dropped the sample; in its place: [123]\.png', titles[0])
    assert [title.split('\n')[0] for title in titles].count('LoadImageFromFile') == 1


def test_a_folder_that_cannot_be_written(make_config, folder):
    (folder / 'file').write_text('')
    for form in (dict(png=True, page=False), {}):  # said before samples are loaded
        with pytest.raises(DataError, match='file/x.*: Not a dir.*another one with --output-dir'):
            browse_dataset(make_config(), BrowseOptions(
                output_dir=folder / 'file/x', **form))
    (folder / 'out/train/000000_0_epoch0.png').mkdir(parents=True)
    with pytest.raises(DataError, match='cannot write .*000000_0_epoch0.png'):
        browse_dataset(make_config(), BrowseOptions(png=True, page=False,
                                                    output_dir=folder / 'out'))


def test_windows(make_config, monkeypatch):
    calls = []
    for name in ('imshow', 'waitKey', 'destroyWindow'):
        monkeypatch.setattr(overlay.cv2, name, lambda *args, name=name: calls.append((name, *args)))
    text, _ = browse_dataset(make_config(), BrowseOptions(
        indices=[1, 3], show=True, page=False, show_interval=0.25))
    assert text == ''
    assert [call[1] for call in calls if call[0] == 'imshow'] == ['1 1.png', '3 3.png']
    assert ('waitKey', 250) in calls


def test_no_window_system(make_config, monkeypatch):
    def fail(*args):
        raise cv2.error('not implemented')

    monkeypatch.setattr(overlay.cv2, 'imshow', fail)
    with pytest.raises(ConfigError, match='leave --show out'):
        browse_dataset(make_config(), BrowseOptions(show=True, page=False))
