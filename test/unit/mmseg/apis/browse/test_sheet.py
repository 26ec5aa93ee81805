"""Samples as PNGs and in windows."""
import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.browse import BrowseOptions, browse_dataset
from mmseg.visualization import overlay


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
    painted = picture[top:top + 32, 64 + 8:64 + 48]
    assert (painted[label == 255] == 0).all()
    assert (painted[label == 1] == (0, 0, 128)).all()


def test_a_failure_is_drawn(make_config, folder):
    (folder / 'img/0.png').write_bytes(b'no image')
    text, code = browse_dataset(make_config(), BrowseOptions(
        indices=[0], png=True, page=False, output_dir=folder / 'out'))
    assert code == 1
    assert '0 0.png' in text
    assert cv2.imread(str(folder / 'out/train/000000_0_epoch0.png')).shape[1] == 400


def test_a_folder_that_cannot_be_written(make_config, folder):
    (folder / 'file').write_text('')
    with pytest.raises(DataError, match='another folder with --output-dir'):
        browse_dataset(make_config(), BrowseOptions(png=True, page=False,
                                                    output_dir=folder / 'file/x'))


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
