"""Label maps out of strips of logits, against torch's own resizing of the whole map."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmseg.models.segmentors import seg_map
from mmseg.models.segmentors.seg_map import SegMapBuilder, predicted_classes

CLASSES = 6


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(seg_map, 'BLOCK_BYTES', 4000)


def strips_of(logits, heights):
    return logits.split([*heights, logits.size(2) - sum(heights)], dim=2)


def make(meta, strips, size, max_bytes, rescale=True, align_corners=False):
    found = SegMapBuilder(size, dict(meta), rescale, align_corners, max_bytes)
    for strip in strips:
        found.add(strip)
    return found.result()


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('heights', [[], [1, 1, 1], [17, 30], [59], [5] * 11])
@pytest.mark.parametrize('original', [(23, 31), (60, 40), (131, 77), (400, 3), (1, 1), (61, 40)])
def test_strips_give_the_labels_of_the_whole_map(align_corners, heights, original):
    logits = torch.randn(1, CLASSES, 60, 40, dtype=torch.float64)
    meta = dict(img_shape=(60, 40, 3), ori_shape=(*original, 3))
    whole = F.interpolate(logits, original, mode='bilinear', align_corners=align_corners)
    found = make(meta, strips_of(logits, heights), (60, 40), 0, align_corners=align_corners)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, whole.argmax(1)[0].numpy())


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('heights', [[], [17, 30]])
@pytest.mark.parametrize('original', [(23, 31), (60, 40), (131, 77), (400, 3), (61, 40)])
def test_columns_are_those_of_the_whole_map(align_corners, heights, original):
    logits = torch.randn(1, CLASSES, 60, 50, dtype=torch.float64)
    meta = dict(img_shape=(60, 40, 3), ori_shape=(*original, 3))
    whole = F.interpolate(logits[..., :40], original, mode='bilinear', align_corners=align_corners)
    for columns in ((0, 1), (0, original[1]), (original[1] // 3, original[1] // 2 + 1),
                    (original[1] - 1, original[1])):
        builder = SegMapBuilder((60, 50), meta, True, align_corners, 0, None, 'confidence',
                                columns)
        begin, end = builder.source_columns
        for strip in strips_of(logits[..., begin:end], heights):
            builder.add(strip)
        found, confidence = builder.result()
        part = whole[0, :, :, slice(*columns)].softmax(0)
        np.testing.assert_array_equal(found, part.argmax(0).numpy())
        np.testing.assert_allclose(confidence, part.max(0).values.numpy(), rtol=1e-6)


@pytest.mark.parametrize('original', [(60, 40), (131, 77), (23, 31)])
def test_finished_rows_are_taken_once(original):
    logits = torch.randn(1, CLASSES, 60, 40, dtype=torch.float64)
    meta = dict(img_shape=(60, 40, 3), ori_shape=(*original, 3))
    builders = [SegMapBuilder((60, 40), meta, True, False, 0, None, 'confidence')
                for _ in range(2)]
    taken = []
    for strip in strips_of(logits, [9, 20]):
        for builder in builders:
            builder.add(strip)
        taken.append(builders[0].take())
    assert builders[0].take() is None
    for found, whole in zip(zip(*filter(None, taken), strict=True), builders[1].result(),
                            strict=True):
        np.testing.assert_array_equal(np.concatenate(found), whole)


@pytest.mark.parametrize(('dtype', 'tolerance', 'share'), [
    (torch.float32, 1e-5, 0.9999), (torch.bfloat16, 0.03, 0.98)])
def test_labels_differ_only_where_rounding_decides(dtype, tolerance, share):
    logits = torch.randn(1, CLASSES, 700, 12).to(dtype)
    meta = dict(img_shape=(700, 12, 3), ori_shape=(1601, 20, 3))
    whole = F.interpolate(logits, (1601, 20), mode='bilinear', align_corners=False)
    found = torch.from_numpy(make(meta, strips_of(logits, [300, 301]), (700, 12), 0)).long()
    best = whole.max(1).values[0]
    chosen = whole.gather(1, found[None, None])[0, 0]
    torch.testing.assert_close(chosen, best, rtol=tolerance, atol=tolerance)
    assert (found == whole.argmax(1)[0]).float().mean() > share


def test_padding_and_flip():
    logits = torch.randn(1, CLASSES, 60, 40, dtype=torch.float64)
    meta = dict(img_shape=(50, 33, 3), ori_shape=(71, 50, 3), flip=True, flip_direction='vertical')
    cut = logits[:, :, :50, :33]
    for rescale, whole in ((True, F.interpolate(cut, (71, 50), mode='bilinear')), (False, cut)):
        found = make(meta, strips_of(logits, [20, 35]), (60, 40), 0, rescale)
        np.testing.assert_array_equal(found, whole.argmax(1)[0].flip(0).numpy())


def test_small_maps_are_resized_in_one_go(monkeypatch):
    monkeypatch.setattr(SegMapBuilder, '_resize_rows', None)
    logits = torch.randn(1, CLASSES, 20, 30)
    whole = F.interpolate(logits, (33, 44), mode='bilinear', align_corners=False)
    meta = dict(img_shape=(20, 30, 3), ori_shape=(33, 44, 3))
    found = make(meta, [logits], (20, 30), max_bytes=CLASSES * 33 * 44 * 4)
    np.testing.assert_array_equal(found, whole.argmax(1)[0].numpy())
    with pytest.raises(TypeError):
        make(meta, [logits], (20, 30), max_bytes=CLASSES * 33 * 44 * 4 - 1)


def test_a_map_without_sizes_is_taken_as_it_is():
    logits = torch.randn(1, CLASSES, 20, 30)
    found = make({}, strips_of(logits, [7]), (20, 30), 0, rescale=False)
    np.testing.assert_array_equal(found, logits.argmax(1)[0].numpy())


@pytest.mark.parametrize(('classes', 'dtype'), [(256, torch.uint8), (257, torch.int32)])
def test_the_first_of_equal_scores_wins(classes, dtype):
    scores = torch.randint(0, 3, (1, classes, 9, 11)).float()
    found = predicted_classes(scores)
    assert found.dtype == dtype
    expected = np.argmax(scores[0].numpy(), axis=0)
    np.testing.assert_array_equal(found.numpy(), expected)
