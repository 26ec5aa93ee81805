"""Where a confusion matrix comes from, and how it is drawn; test_report.py has the checkpoints."""
import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.fileio import dump
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis import confusion_job
from mmseg.apis.confusion_job import Source, write_confusion

from ..report.conftest import VOC, write_record

MATRIX = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 4]])


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn: (matrix, names, options)."""
    calls = []
    draw = confusion_job.draw_confusion

    def note(matrix, names, **options):
        calls.append((matrix.tolist(), names, options))
        return draw(matrix, names, **options)
    monkeypatch.setattr(confusion_job, 'draw_confusion', note)
    return calls


@pytest.fixture
def work_dir(tmp_path):
    write_record(tmp_path / 'run', 50, {}, confusion=np.eye(3))
    write_record(tmp_path / 'run', 100, {}, confusion=MATRIX)
    write_record(tmp_path / 'run', 150, {})
    return tmp_path / 'run'


def test_the_last_evaluation_of_a_work_dir(work_dir, tmp_path, drawn):
    path = write_confusion(Source(str(work_dir)), str(tmp_path / 'out'), 'title')
    assert path == tmp_path / 'out/confusion_matrix.png'
    assert drawn == [(MATRIX.tolist(), VOC, {})]
    assert cv2.imread(str(path)).shape[0] > 200


def test_a_record(work_dir, tmp_path, drawn):
    write_confusion(Source(str(work_dir / 'evaluations/iter_50.npz')), str(tmp_path), 'title')
    assert drawn[0][0] == np.eye(3).tolist()


def test_a_record_of_a_test_counts_too(work_dir, tmp_path, drawn):
    write_record(tmp_path / 'other', 999, {}, confusion=2 * MATRIX)
    (tmp_path / 'other/evaluations/iter_999.npz').rename(work_dir / 'eval_20260101_000000.npz')
    write_confusion(Source(str(work_dir)), str(tmp_path), 'title')
    assert drawn[0][0] == (2 * MATRIX).tolist()


def test_names_that_do_not_fit_are_numbers(tmp_path, drawn):
    write_record(tmp_path, 50, {}, classes=['a'], confusion=MATRIX)
    write_confusion(Source(str(tmp_path)), str(tmp_path), 'title')
    assert drawn[0][1] is None


def test_title_and_colours(work_dir, tmp_path):
    pictures = [cv2.imread(str(write_confusion(Source(str(work_dir)), str(tmp_path), *options)))
                for options in (('title',), ('Title',), ('title', 'winter'))]
    assert pictures[0].shape == pictures[1].shape == pictures[2].shape
    top = np.any(pictures[0] != pictures[1], axis=(1, 2)).nonzero()[0].max()
    assert top < 60  # nothing but the title differs
    blue = (pictures[2] == (255, 0, 0)).all(axis=2)  # no share, in the colour map 'winter'
    assert blue.mean() > 0.05
    assert not (pictures[0] == (255, 0, 0)).all(axis=2).any()
    with pytest.raises(ConfigError, match="--color-theme 'wintr' is unknown; did you mean 'winter"):
        write_confusion(Source(str(work_dir)), str(tmp_path), 'title', 'wintr')


def test_a_window(work_dir, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(confusion_job, 'show_window', lambda *args: shown.append(args))
    write_confusion(Source(str(work_dir)), str(tmp_path), 'title', show=True)
    assert shown[0][1:3] == ('title', 0)


def test_predictions(tmp_path, drawn):
    """[H, W] maps of a pickle against the masks of data.test, of which 255 is no class."""
    (tmp_path / 'img').mkdir()
    (tmp_path / 'ann').mkdir()
    masks = [np.array([[0, 0, 1], [1, 2, 255]]), np.array([[2, 2, 2]])]
    for number, mask in enumerate(masks):
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / f'ann/{number}.png')
        Image.new('RGB', mask.shape[::-1]).save(tmp_path / f'img/{number}.jpg')
    config = tmp_path / 'c.py'
    config.write_text(f'''
data = dict(test=dict(type='CustomDataset', data_root={str(tmp_path)!r}, img_dir='img',
    ann_dir='ann', test_mode=True, classes=['x', 'y', 'z'],
    pipeline=[dict(type='LoadImageFromFile')]))
''')
    predictions = tmp_path / 'p.pkl'
    dump([np.array([[0, 1, 1], [1, 2, 0]]), np.array([[2, 0, 2]])], str(predictions))
    source = Source(str(config), str(predictions), {'data.test.classes': ['x', 'y', '人']})
    write_confusion(source, str(tmp_path), 'title')
    assert drawn[0][0] == [[1, 1, 0], [0, 2, 0], [1, 0, 3]]
    assert list(drawn[0][1]) == ['x', 'y', '人']
    source.cfg_options['data.test.classes'] = None
    with pytest.raises(ConfigError, match=r'data\.test \(CustomDataset\) does not say how many '
                       r'classes there are: give it `classes`, or the CHECKPOINT in place of'):
        write_confusion(source, str(tmp_path), 'title')
    source.cfg_options['data.test.classes'] = ['x', 'y', 'z']
    dump([np.zeros((2, 3), int)], str(predictions))
    with pytest.raises(DataError, match=r'has 1 label maps for the 2 samples of data\.test'):
        write_confusion(source, str(tmp_path), 'title')


def test_a_config_alone(tmp_path):
    with pytest.raises(ConfigError, match=r'c\.py is neither a work directory nor .* with a config '
                       'give predictions too: CONFIG FILE.pkl DIR'):
        write_confusion(Source('c.py'), str(tmp_path), 'title')


def test_without_counts(tmp_path):
    write_record(tmp_path, 50, {})
    for place in (tmp_path, tmp_path / 'evaluations/iter_50.npz'):
        with pytest.raises(DataError, match='trainings keep it in WORK_DIR/evaluations'):
            write_confusion(Source(str(place)), str(tmp_path), 'title')


def test_a_folder_that_cannot_be_written(work_dir, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='cannot be written: .*; name another folder'):
        write_confusion(Source(str(work_dir)), str(tmp_path / 'file'), 'title')
