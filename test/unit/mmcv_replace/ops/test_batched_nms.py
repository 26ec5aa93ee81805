"""Selection of boxes in each class: its config, large inputs, types, errors."""
import pytest
import torch

from mmcv_replace.ops import nms, soft_nms
from mmcv_replace.ops.nms import batched_nms
from mmcv_replace.utils.errors import ArgumentError, ConfigKeyError

from .cases.nms import boxes, draw


def by_class(options, class_agnostic=False, seed=0):
    found, scores, classes = boxes(60, seed, classes=3)
    return found, scores, classes, batched_nms(found, scores, classes, options, class_agnostic)


def test_batched_nms_keeps_its_config():
    options = dict(type='nms', iou_threshold=0.3, class_agnostic=False, split_thr=5, max_num=4)
    given = dict(options)
    by_class(given)
    assert given == options


def test_class_agnostic():
    found, scores, _, (dets, keep) = by_class(dict(iou_threshold=0.3, class_agnostic=True))
    expected = nms(found, scores, 0.3)
    assert keep.equal(expected[1])
    assert dets.equal(expected[0])
    assert by_class(dict(iou_threshold=0.3), class_agnostic=True)[3][1].equal(keep)
    apart = by_class(dict(iou_threshold=0.3, class_agnostic=False), class_agnostic=True)[3][1]
    assert len(apart) > len(keep)


@pytest.mark.parametrize('split', [0, 10000])
def test_max_num_and_type_of_batched_nms(split):
    options = dict(iou_threshold=0.3, split_thr=split)
    _, _, _, (dets, keep) = by_class(options)
    assert by_class(options | dict(max_num=4))[3][1].equal(keep[:4])
    found, scores, classes, (soft, places) = by_class(
        options | dict(type='soft_nms', method='gaussian', min_score=0.05))
    one_class = soft_nms(found[classes == 1], scores[classes == 1], 0.3, method='gaussian',
                         min_score=0.05)
    mine = classes[places] == 1
    torch.testing.assert_close(soft[mine], one_class[0])
    assert places[mine].equal((classes == 1).nonzero().squeeze(1)[one_class[1]])
    assert soft[:, 4].equal(soft[:, 4].sort(descending=True)[0])
    assert len(places) > len(keep)


def test_max_num_of_one_class_after_the_other():
    """It holds for all types, also for soft_nms, which has no such argument itself."""
    options = dict(type='soft_nms', split_thr=0)
    _, _, _, (dets, keep) = by_class(options)
    most, places = by_class(options | dict(max_num=4))[3]
    assert most.equal(dets[:4])
    assert places.equal(keep[:4])


def test_boxes_of_neighbouring_classes_at_negative_coordinates():
    """They touch where classes are moved apart, and not where each is selected for itself."""
    found = torch.tensor([[0, 0, 10, 10], [-11, -11, -1, -1]]).float()
    scores, classes = torch.tensor([0.9, 0.8]), torch.tensor([0, 1])
    for split, count in ((10000, 1), (0, 2)):
        options = dict(iou_threshold=0.5, split_thr=split)
        assert len(batched_nms(found, scores, classes, options)[1]) == count


def test_batched_nms_without_a_config_sorts():
    found, scores, _, (dets, keep) = by_class(None)
    assert keep.equal(scores.sort(descending=True)[1])
    assert dets.equal(torch.cat([found, scores[:, None]], 1)[keep])


def test_batched_nms_in_low_precision():
    found, scores = draw('sparse', 40)
    found = found.half()
    classes = torch.arange(40) % 20
    dets, keep = batched_nms(found, scores.half(), classes, dict(iou_threshold=0.5))
    assert dets.dtype == torch.float16
    assert keep.equal(batched_nms(found.float(), scores.half().float(), classes,
                                  dict(iou_threshold=0.5))[1])


def test_wrong_options_of_batched_nms():
    with pytest.raises(ConfigKeyError, match="one of nms, soft_nms, and got 'nms_rotated'"):
        by_class(dict(type='nms_rotated'))
    with pytest.raises(TypeError, match="'nms' does not take 'iou_thresh'; did you mean 'iou_"):
        by_class(dict(iou_thresh=0.5))
    with pytest.raises(ArgumentError, match="nms_cfg of type 'nms' needs .*iou_threshold"):
        by_class(dict(type='nms'))
    with pytest.raises(ArgumentError, match='scores are arguments of batched_nms itself'):
        by_class(dict(iou_threshold=0.5, scores=None))


@pytest.mark.parametrize('classes', [torch.zeros(1), torch.zeros(3, 1), torch.zeros(2)])
def test_wrong_shapes_of_classes(classes):
    with pytest.raises(ArgumentError, match=r'idxs must be \[3\].* and got \['):
        batched_nms(*draw('dense', 3), classes, dict(iou_threshold=0.5))
