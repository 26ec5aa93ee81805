"""Pictures of evaluations: written, read again, once for each image, damaged."""
import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation.records import read_evaluations
from mmseg.report.pictures import (
    SIDE,
    encode_picture_of_labels,
    read_image,
    read_labels,
    read_pictures,
    store_pictures,
)

from .conftest import evaluation, picture, write_record


@pytest.fixture
def stored(tmp_path):
    """The pictures of an evaluation, read again."""
    def store(*pictures, worst=(), done=50):
        store_pictures(tmp_path, evaluation(done, pictures, worst))
        write_record(tmp_path, done, {})
        return read_pictures(read_evaluations(tmp_path)[-1])
    return store


def test_pictures_come_back(stored):
    first, second = picture(0), picture(1, 'sub/人 & "x".jpg')
    found = stored(first, second, worst=[second])
    assert [each.name for each in found.fixed] == ['image_0.jpg', 'sub/人 & "x".jpg']
    assert [each.name for each in found.worst] == ['sub/人 & "x".jpg']
    kept = found.fixed[0]
    assert (kept.miou, kept.accuracy, kept.path) == (0.1, 0.5, '/data/image_0.jpg')
    truth = read_labels(found.folder, kept.truth, SIDE)
    np.testing.assert_array_equal(truth, np.where(first.truth == 255, -1, first.truth.astype(int)))
    np.testing.assert_array_equal(read_labels(found.folder, kept.prediction, SIDE), first.seg_map)
    image = read_image(found.folder, kept.image, SIDE)
    assert image.shape == (24, 32, 3)
    assert np.abs(image.astype(int) - first.image()).mean() < 12  # of a JPEG of noise


def test_an_image_is_written_once(stored, tmp_path):
    stored(picture(0), worst=[picture(0)])
    stored(picture(0), done=100)
    assert len(list((tmp_path / 'evaluations/samples').iterdir())) == 2
    assert len(list((tmp_path / 'evaluations').glob('iter_*/*.png'))) == 3


def test_large_ones_are_reduced(stored):
    found = stored(picture(0, size=(300, 1100)))
    assert read_labels(found.folder, found.fixed[0].truth, 5000).shape == (140, 512)
    assert read_image(found.folder, found.fixed[0].image, 64).shape == (18, 64, 3)


@pytest.mark.parametrize(('labels', 'ignore_index', 'kind'), [
    ([[0, 254, 255]], 255, np.uint8), ([[0, 255, 7]], 7, np.uint16), ([[3, -1, 0]], -1, np.uint8),
    ([[70, 300, 255]], 255, np.uint16)])
def test_every_label_and_no_class_are_kept(tmp_path, labels, ignore_index, kind):
    labels = np.array(labels)
    content = encode_picture_of_labels(labels, ignore_index)
    (tmp_path / 'x.png').write_bytes(content)
    assert cv2.imread(str(tmp_path / 'x.png'), cv2.IMREAD_UNCHANGED).dtype == kind
    np.testing.assert_array_equal(read_labels(tmp_path, 'x.png', SIDE),
                                  np.where(labels == ignore_index, -1, labels))


def test_an_image_that_cannot_be_read_is_told_and_left_out(stored, caplog):
    def load():
        raise DataError('gone')
    found = stored(picture(0, load=load))
    assert found.fixed[0].image is None
    assert read_image(found.folder, None, SIDE) is None
    assert 'the report lacks the image image_0.jpg: gone' in caplog.text


def test_without_pictures(tmp_path):
    write_record(tmp_path, 50, {})
    assert read_pictures(read_evaluations(tmp_path)[0]) is None


def test_damaged_files(stored, tmp_path, caplog):
    found = stored(picture(0))
    (found.folder / found.fixed[0].truth).write_bytes(b'x')
    assert read_labels(found.folder, found.fixed[0].truth, SIDE) is None
    (tmp_path / 'evaluations/iter_50/pictures.json').write_text('{"fixed": [{"x": 1}]}')
    assert read_pictures(read_evaluations(tmp_path)[0]) is None
    assert 'the pictures of' in caplog.text
