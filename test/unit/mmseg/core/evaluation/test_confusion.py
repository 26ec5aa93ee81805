"""The confusion matrix against a count by hand, pixel by pixel."""
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import ConfusionMatrix, metrics_from_confusion


def count_by_hand(pred, label, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes), np.int64)
    for p, t in zip(pred.ravel().tolist(), label.ravel().tolist(), strict=True):
        if t != ignore_index:
            matrix[t, p] += 1
    return matrix


def random_maps(num_classes, ignore_index=255, shape=(23, 31), dtype=np.int64):
    pred = np.random.randint(0, num_classes, shape).astype(dtype)
    label = np.random.randint(0, num_classes, shape).astype(dtype)
    label[np.random.rand(*shape) < 0.1] = ignore_index
    return pred, label


@pytest.mark.parametrize('dtype', [np.uint8, np.int32, np.int64, np.uint16])
@pytest.mark.parametrize(('num_classes', 'ignore_index'),
                         [(21, 255), (2, 255), (150, 255), (21, 0), (21, 20), (19, 100)])
def test_counts_equal_those_by_hand(num_classes, ignore_index, dtype):
    confusion = ConfusionMatrix(num_classes, ignore_index)
    expected = 0
    for _ in range(3):
        pred, label = random_maps(num_classes, ignore_index, dtype=dtype)
        confusion.update(pred, label)
        expected = expected + count_by_hand(pred, label, num_classes, ignore_index)
    assert confusion.matrix.dtype == np.int64
    np.testing.assert_array_equal(confusion.matrix, expected)


@pytest.mark.parametrize(('num_classes', 'ignore_index'),
                         [(300, 65535), (256, -1), (21, -1), (21, 1000), (257, 256)])
def test_values_of_more_than_eight_bits(num_classes, ignore_index):
    pred, label = random_maps(num_classes, ignore_index)
    confusion = ConfusionMatrix(num_classes, ignore_index)
    confusion.update(pred, label)
    np.testing.assert_array_equal(
        confusion.matrix, count_by_hand(pred, label, num_classes, ignore_index))


def test_flat_maps_count_as_noise_does():
    pred, label = (np.kron(part, np.ones((32, 32), np.uint8)) for part in random_maps(
        21, shape=(8, 9), dtype=np.uint8))
    label[100, 50], pred[7, 8:11] = 20, 13
    confusion = ConfusionMatrix(21)
    confusion.update(pred, label)
    np.testing.assert_array_equal(confusion.matrix, count_by_hand(pred, label, 21, 255))


def test_maps_with_gaps_in_memory():
    pred, label = random_maps(21, shape=(40, 60), dtype=np.uint8)
    confusion = ConfusionMatrix(21)
    confusion.update(pred[::2, ::3], label[::2, ::3])
    np.testing.assert_array_equal(
        confusion.matrix, count_by_hand(pred[::2, ::3], label[::2, ::3], 21, 255))


def test_prediction_on_ignored_pixels_is_not_looked_at():
    confusion = ConfusionMatrix(2)
    confusion.update(np.array([[200, 1]], np.uint8), np.array([[255, 1]], np.uint8))
    assert confusion.matrix.tolist() == [[0, 0], [0, 1]]


def test_bool_maps_and_wholly_ignored_ones():
    confusion = ConfusionMatrix(2)
    confusion.update(np.array([[True, False]]), np.array([[True, True]]))
    confusion.update(np.zeros((2, 2), np.int64), np.full((2, 2), 255))
    assert confusion.matrix.tolist() == [[0, 0], [1, 1]]


def test_scores_of_real_masks(shared_dir):
    """mIoU over real masks and predictions with moved borders, against torch's bincount."""
    files = sorted((shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/SegmentationClass').glob('*.png'))
    confusion, total = ConfusionMatrix(21), torch.zeros(21 * 21)
    for i, file in enumerate(files[:40]):
        label = np.array(Image.open(file))
        pred = np.roll(np.where(label == 255, i % 21, label), (i % 7, 3 - i % 5), (0, 1))
        confusion.update(pred.astype(np.uint8), label, file.name)
        valid = label != 255
        total += torch.bincount(torch.from_numpy(label[valid].astype(int) * 21 + pred[valid]),
                                minlength=21 * 21)
    total = total.view(21, 21).double()
    hit = total.diag()
    iou = hit / (total.sum(0) + total.sum(1) - hit)
    found = metrics_from_confusion(confusion.matrix)
    np.testing.assert_array_equal(confusion.matrix, total.numpy())
    np.testing.assert_allclose(found['IoU'], iou.numpy(), rtol=1e-12)
    assert 0.5 < np.nanmean(found['IoU']) < 0.95


@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_label_that_is_no_class_is_named(dtype):
    label = np.array([[0, 21, 22, 255]], dtype)
    with pytest.raises(DataError, match=r'a/b\.jpg: the annotation holds 21, 22, but classes are '
                                        r'0 to 20 \(ignored: 255\); mark pixels .* or make '
                                        r'ignore_index, label_map, reduce_zero_label'):
        ConfusionMatrix(21).update(np.zeros_like(label), label, 'a/b.jpg')


def test_negative_label_and_many_wrong_ones_are_shortened():
    label = np.arange(-1, 40)[None]
    with pytest.raises(DataError, match=r'holds -1, 21, 22, 23, 24, 25, 26, 27, \.\.\., but'):
        ConfusionMatrix(21).update(np.zeros_like(label), label)


@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_prediction_that_is_no_class_is_named(dtype):
    pred = np.array([[0, 30]], dtype)
    with pytest.raises(DataError, match=r"x\.png: the prediction holds 30, .*'num_classes'"):
        ConfusionMatrix(21).update(pred, np.zeros_like(pred), 'x.png')


def test_wrong_values_in_flat_maps_are_named():
    flat, wrong = np.zeros((64, 64), np.uint8), np.full((64, 64), 21, np.uint8)
    with pytest.raises(DataError, match='the annotation holds 21, but'):
        ConfusionMatrix(21).update(flat, wrong)
    with pytest.raises(DataError, match='the prediction holds 21, but'):
        ConfusionMatrix(21).update(wrong, flat)


def test_refused_sample_is_not_counted():
    confusion = ConfusionMatrix(2)
    with pytest.raises(DataError):
        confusion.update(np.array([[0, 1]]), np.array([[0, 9]]))
    assert not confusion.matrix.any()


def test_unequal_shapes_are_named():
    with pytest.raises(DataError, match=r'x\.png: the prediction is 2 x 3 but its annotation is '
                                        r'3 x 2 \(height x width\)'):
        ConfusionMatrix(2).update(np.zeros((2, 3), int), np.zeros((3, 2), int), 'x.png')


def test_fractions_are_refused():
    with pytest.raises(DataError, match='a sample: the prediction has dtype float64'):
        ConfusionMatrix(2).update(np.zeros((2, 2)), np.zeros((2, 2), int))


def test_memory_stays_flat():
    confusion = ConfusionMatrix(21)
    pred, label = random_maps(21, shape=(100, 100), dtype=np.uint8)
    confusion.update(pred, label)
    tracemalloc.start()
    for _ in range(50):
        confusion.update(pred, label)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < label.nbytes
