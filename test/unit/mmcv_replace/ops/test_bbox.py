"""Overlaps of boxes: shapes, types and errors."""
import pytest
import torch

from mmcv_replace.ops import bbox_overlaps
from mmcv_replace.utils.errors import ArgumentError

BOXES = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]]).float()


def test_known_overlaps():
    assert bbox_overlaps(BOXES[:2], BOXES).tolist() == [[1, 0.5, 0], [0.5, 1, 0]]
    assert bbox_overlaps(BOXES[:2], BOXES[1:], aligned=True).tolist() == [0.5, 0]
    assert bbox_overlaps(BOXES[1:2], BOXES, mode='iof').tolist() == [[1, 1, 0]]
    torch.testing.assert_close(bbox_overlaps(BOXES[:1], BOXES[1:2], offset=1),
                               torch.tensor([[66 / 121]]))


@pytest.mark.parametrize('empty', [torch.zeros(0, 4), torch.zeros(0)])
def test_no_boxes(empty):
    assert bbox_overlaps(empty, BOXES).shape == (0, 3)
    assert bbox_overlaps(BOXES, empty).shape == (3, 0)
    assert bbox_overlaps(empty, empty).shape == (0, 0)
    assert bbox_overlaps(empty, empty, aligned=True).shape == (0,)


def test_boxes_without_an_area():
    point = torch.tensor([[3, 3, 3, 3]]).float()
    assert bbox_overlaps(point, point).isnan().all()
    assert bbox_overlaps(point, point, mode='iof').isnan().all()
    assert bbox_overlaps(BOXES, point).tolist() == [[0], [0], [0]]
    assert bbox_overlaps(point, point, offset=1).tolist() == [[1]]


def test_types():
    for given, found in ((torch.float16, torch.float16), (torch.float64, torch.float64),
                         (torch.int64, torch.float32)):
        overlaps = bbox_overlaps(BOXES.to(given), BOXES.to(given))
        assert overlaps.dtype == found
        assert overlaps[0, 1] == 0.5
    # Areas beyond the range of float16.
    assert bbox_overlaps(BOXES.half() * 100, BOXES.half() * 100)[0, 1] == 0.5


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(mode='giou'), "mode must be 'iou' or 'iof', and got 'giou'"),
    (dict(offset=2), 'offset must be 0.* or 1.*got 2'),
    (dict(bboxes1=torch.zeros(2, 5)), r'bboxes1 must be \[N, 4\].*got \[2, 5\]'),
    (dict(bboxes2=torch.zeros(4)), r'bboxes2 must be \[N, 4\].*got \[4\]'),
    (dict(bboxes2=BOXES[:2], aligned=True), 'must be equal in number, and got 3 and 2')])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        bbox_overlaps(**dict(bboxes1=BOXES, bboxes2=BOXES) | arguments)
