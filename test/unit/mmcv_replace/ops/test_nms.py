"""Selection of boxes: order, ties, options, types, errors and special values."""
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pytest
import torch

from mmcv_replace.ops import nms, soft_nms
from mmcv_replace.ops.nms import batched_nms
from mmcv_replace.utils.errors import ArgumentError, UsageError

from .cases.nms import boxes, draw

SIZES = 1, 2, 63, 64, 65, 200, 400, 1200
CLOSE = np.float32(0.3)
KINDS = 'sparse', 'dense', 'grid', 'column', 'row', 'inverted', 'special'


def one_by_one(found, order, threshold, offset):
    """Places of the kept boxes, by a loop over them, in the type of the boxes."""
    x1, y1, x2, y2 = found.numpy()[order.numpy()].T
    area = (x2 - x1 + offset) * (y2 - y1 + offset)
    alive, kept = np.ones(len(order), bool), []
    for i in range(len(order)):
        if alive[i]:
            kept.append(order[i].item())
            width = np.maximum(np.minimum(x2[i], x2) - np.maximum(x1[i], x1) + offset, 0)
            height = np.maximum(np.minimum(y2[i], y2) - np.maximum(y1[i], y1) + offset, 0)
            common = width * height
            with np.errstate(all='ignore'):
                alive &= ~(common / (area[i] + area - common) > np.float32(threshold))
    return kept


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('count', SIZES)
@np.errstate(invalid='ignore', over='ignore')
def test_nms_against_a_loop_over_boxes(kind, count):
    for seed, threshold in enumerate((0.0, 0.25, 0.5, 0.7, 1.0, -0.1)):
        for offset in (0, 1):
            found, scores = draw(kind, count, seed)
            order = scores.sort(descending=True)[1]
            expected = one_by_one(found, order, threshold, offset)
            dets, keep = nms(found, scores, threshold, offset=offset)
            assert keep.tolist() == expected
            torch.testing.assert_close(dets, torch.cat([found, scores[:, None]], 1)[expected],
                                       rtol=0, atol=0, equal_nan=True)


def test_chain_of_boxes():
    """Each box suppresses the next of those in the chain, if it stays itself."""
    low = torch.arange(300.)
    found = torch.stack([low, low * 0, low + 3, low * 0 + 3], 1)
    assert nms(found, -low, 0.4)[1].tolist() == list(range(0, 300, 2))


def test_scores_that_are_no_number_come_first_as_in_a_sort():
    found, scores = draw('sparse', 50)
    scores[[3, 17]] = float('nan')
    assert set(nms(found, scores, 0.9)[1][:2].tolist()) == {3, 17}
    assert not {3, 17} & set(nms(found, scores, 0.9, score_threshold=0.01)[1].tolist())


def test_score_threshold_and_max_num():
    found, scores = draw('sparse', 300)
    keep = nms(found, scores, 0.5)[1]
    above = nms(found, scores, 0.5, score_threshold=0.5)[1]
    valid = (scores > 0.5).nonzero().squeeze(1)
    order = valid[scores[valid].sort(descending=True)[1]]
    assert above.tolist() == one_by_one(found, order, 0.5, 0)
    assert nms(found, scores, 0.5, max_num=100)[1].equal(keep[:100])
    assert nms(found, scores, 0.5, max_num=0)[1].equal(keep)
    # Scores below 0 are valid unless a threshold above 0 is given.
    assert len(nms(found, scores - 2, 0.5, score_threshold=-1)[1]) == len(keep)


def test_arrays_give_arrays():
    found, scores = draw('dense', 50)
    for select in (lambda *x: nms(*x, 0.5), soft_nms):
        expected = select(found, scores)
        for given in ((found.numpy(), scores.numpy()), (found.numpy(), scores)):
            dets, keep = select(*given)
            assert isinstance(dets, np.ndarray)
            assert isinstance(keep, np.ndarray)
            np.testing.assert_array_equal(dets, expected[0])
            np.testing.assert_array_equal(keep, expected[1])
        assert isinstance(select(found, scores.numpy())[0], torch.Tensor)


@pytest.mark.parametrize('select', [
    lambda *x: nms(*x, 0.5), soft_nms,
    lambda *x: batched_nms(*x, x[1].long(), dict(iou_threshold=1)),
    lambda *x: batched_nms(*x, x[1].long(), dict(iou_threshold=1, split_thr=0)),
    lambda *x: batched_nms(*x, x[1].long(), None)])
def test_no_boxes(select):
    dets, keep = select(torch.zeros(0, 4), torch.zeros(0))
    assert dets.shape == (0, 5)
    assert keep.shape == (0,)
    assert keep.dtype == torch.int64


def test_other_types():
    """Whole numbers and low precision are computed in float32, and float64 in itself."""
    found, scores = draw('grid', 300)
    keep = nms(found, scores, 0.4)[1]
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int64):
        dets, other = nms(found.to(dtype), scores, 0.4)
        assert other.equal(keep)
        assert dets.dtype == torch.promote_types(dtype, torch.float32)
    near = torch.tensor([[0, 0, 1, 1], [0, 0, 1, 0.5 + 1e-12]], dtype=torch.float64)
    assert len(nms(near, scores[:2], 0.5)[1]) == 1
    assert len(nms(near.float(), scores[:2], 0.5)[1]) == 2


def test_gradients_of_nms():
    found, scores = (x.requires_grad_() for x in draw('dense', 30))
    dets, keep = nms(found, scores, 0.5)
    dets.sum().backward()
    assert scores.grad.nonzero().squeeze(1).tolist() == sorted(keep.tolist())


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(boxes=torch.zeros(3, 5)), r'boxes must be \[N, 4\].*got \[3, 5\]'),
    (dict(scores=torch.zeros(2)), r'scores must be \[3\].*got \[2\]'),
    (dict(offset=2), 'offset must be 0.* or 1.*got 2'),
    (dict(boxes=[[0, 0, 1, 1]]), 'boxes must be a tensor or an array, and got list')])
def test_wrong_arguments(arguments, message):
    arguments = dict(boxes=torch.zeros(3, 4), scores=torch.zeros(3)) | arguments
    for select in (lambda **x: nms(iou_threshold=0.5, **x), soft_nms):
        with pytest.raises(ArgumentError, match=message):
            select(**arguments)


@pytest.mark.parametrize('name', ['iou_threshold', 'score_threshold', 'max_num'])
def test_what_is_no_number(name):
    arguments = dict(iou_threshold=0.5) | {name: None}
    with pytest.raises(ArgumentError, match=f'{name} must be a number, and got None'):
        nms(*draw('dense', 3), **arguments)


@pytest.mark.parametrize('name', ['iou_threshold', 'sigma', 'min_score'])
def test_what_is_no_number_to_soft_nms(name):
    with pytest.raises(ArgumentError, match=f'{name} must be a number, and got None'):
        soft_nms(*draw('dense', 3), **{name: None})


def test_wrong_options_of_soft_nms():
    found, scores = draw('dense', 3)
    with pytest.raises(ArgumentError, match="one of naive, linear, gaussian, and got 'cubic'"):
        soft_nms(found, scores, method='cubic')
    with pytest.raises(ArgumentError, match='sigma must be above 0, and got 0'):
        soft_nms(found, scores, method='gaussian', sigma=0)


@pytest.mark.parametrize(('method', 'kept', 'expected'), [
    ('naive', [1, 0, 3], [.9, .6, .2]),
    ('linear', [1, 0, 2, 3], [.9, .6, .29024392, .2]),
    ('gaussian', [1, 0, 2, 3], [.9, .59630775, .35275510, .18650459]),
])
def test_published_figures(method, kept, expected):
    """Those of mmcv's test."""
    found = torch.tensor([[6., 3, 8, 7], [3, 6, 9, 11], [3, 7, 10, 12], [1, 4, 13, 7]])
    dets, index = soft_nms(found, torch.tensor([.6, .9, .7, .2]), 0.3, 0.5, 0.01, method)
    assert index.tolist() == kept
    torch.testing.assert_close(dets, torch.cat([found[kept], torch.tensor(expected).view(-1, 1)],
                                               dim=1))


def test_old_name_of_the_threshold():
    found, scores = draw('dense', 30)
    for select in (nms, soft_nms):
        with pytest.warns(DeprecationWarning, match="'iou_thr' is 'iou_threshold' now"):
            assert select(found, scores, iou_thr=0.2)[0].equal(select(found, scores, 0.2)[0])


def swapping_loop(found, scores, weight, lowest, offset):
    """Soft NMS with the moves of boxes that decide on the order of equal scores."""
    rows = [(i, *map(np.float32, box)) for i, box in enumerate(found.tolist())]
    scores, kept, end = [np.float32(x) for x in scores.tolist()], [], len(rows)
    offset, lowest = np.float32(offset), np.float32(lowest)
    for i in range(len(rows)):
        if i >= end:
            break
        best = i
        for j in range(i + 1, end):
            best = j if scores[best] < scores[j] else best
        rows[i], rows[best] = rows[best], rows[i]
        scores[i], scores[best] = scores[best], scores[i]
        place, x1, y1, x2, y2 = rows[i]
        kept.append((place, scores[i]))
        j = i + 1
        while j < end:
            _, a1, b1, a2, b2 = rows[j]
            width = max(np.float32(0), min(x2, a2) - max(x1, a1) + offset)
            height = max(np.float32(0), min(y2, b2) - max(y1, b1) + offset)
            common = width * height
            areas = [(right - left + offset) * (bottom - top + offset)
                     for left, top, right, bottom in ((x1, y1, x2, y2), (a1, b1, a2, b2))]
            scores[j] = scores[j] * weight(common / (sum(areas) - common))
            if scores[j] < lowest:
                end -= 1
                rows[j], scores[j] = rows[end], scores[end]
            else:
                j += 1
    return kept


@pytest.mark.parametrize('kind', ['sparse', 'dense', 'grid', 'inverted'])
@np.errstate(invalid='ignore', divide='ignore')
def test_order_of_equal_scores_in_soft_nms(kind):
    for seed, lowest in enumerate((0, 0.001, 0.2, 0.5)):
        found, scores = draw(kind, 60, seed)
        scores = (scores * 8).round() / 8
        scores[5::20] = float('nan') if seed == 1 else 0.75
        if seed == 2:
            scores[0] = float('nan')
        for method, weight in (('linear', lambda x: 1 - x if x >= CLOSE else np.float32(1)),
                               ('naive', lambda x: np.float32(not x >= CLOSE))):
            for offset in (0, 1):
                expected = swapping_loop(found, scores, weight, lowest, offset)
                dets, keep = soft_nms(found, scores, 0.3, min_score=lowest, method=method,
                                      offset=offset)
                assert keep.tolist() == [place for place, _ in expected]
                np.testing.assert_array_equal(dets[:, 4], [score for _, score in expected])
                assert dets[:, :4].equal(found[keep])


def test_soft_nms_in_other_types():
    found, scores = draw('grid', 60)
    expected = soft_nms(found, scores)
    for dtype in (torch.float16, torch.float64):
        dets, keep = soft_nms(found.to(dtype), scores.to(dtype))
        assert dets.dtype == dtype
        assert keep[:5].equal(expected[1][:5])
    dets, _ = soft_nms(found.half(), scores.double())
    assert dets.dtype == torch.float64


def test_compiled_code_leaves_it_out():
    found, scores = draw('sparse', 100)

    def detect(found, scores):
        return nms(found * 2, scores, 0.5)[0] + 1, soft_nms(found * 2, scores)[0] + 1

    expected = detect(found, scores)
    torch.compiler.reset()
    for one, other in zip(torch.compile(detect, backend='aot_eager')(found, scores), expected,
                          strict=True):
        assert one.equal(other)


def test_exports_are_refused():
    found, scores, classes = boxes(20, classes=2)
    module = torch.nn.Module()
    warnings.simplefilter('ignore')  # of torch.jit.trace
    for select in (lambda *x: nms(*x, 0.5), soft_nms,
                   lambda *x: batched_nms(*x, classes, dict(iou_threshold=0.5, split_thr=0))):
        module.forward = select
        for export in (torch.jit.trace, partial(torch.export.export, strict=False)):
            with pytest.raises(UsageError, match='no exported graph can hold'):
                export(module, (found, scores))


def test_module_paths_of_mmcv(tmp_path):
    code = '''
import sys, mmcv_replace
mmcv_replace.install_alias()
from mmcv.ops.nms import batched_nms, soft_nms
from mmcv.ops import nms
import mmcv.ops.nms
import mmcv.ops as ops
assert nms is mmcv.ops.nms is ops.nms is sys.modules['mmcv.ops.nms'].nms
assert callable(nms) and ops.batched_nms is batched_nms and ops.soft_nms is soft_nms
assert 'torch._dynamo' not in sys.modules
'''
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def vision():
    """Kernels that only other devices use, but which the host can run."""
    try:
        import torchvision.ops  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f'torchvision does not load: {error}')
    from mmcv_replace.ops.kernels import vision
    return vision


@pytest.mark.parametrize('kind', KINDS)
def test_torchvision_is_equal(vision, kind):
    for count in (0, 1, 400):
        found, _ = draw(kind, count)
        scores = torch.randperm(count).float()
        for threshold in (0.0, 0.25, 0.4, 0.7, 1 / 3):
            for dtype in (torch.float32, torch.float64):
                expected = nms(found.to(dtype), scores, threshold, max_num=50)[1]
                assert vision.nms(found.to(dtype), scores, threshold, 0, 0, 50).equal(expected)


def test_threshold_of_torchvision_is_rounded(vision):
    """The IoU of these boxes is 0.4 in float32, which is more than 0.4 in float64."""
    found = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 4]]).half()
    assert vision.nms(found, torch.tensor([1, 0.5]), 0.4, 0, 0, 9).tolist() == [0, 1]


def test_torchvision_declines_what_it_cannot_do(vision):
    found, scores = draw('dense', 9)
    assert vision.nms(found, scores, 0.5, 1, 0, 9) is NotImplemented
    assert vision.nms(found, scores, 0.5, 0, 0.1, 9) is NotImplemented
