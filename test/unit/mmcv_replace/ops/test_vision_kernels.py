"""torchvision's operators in place of the plain ones, where torchvision is installed."""
import importlib
import sys

import pytest
import torch

from mmcv_replace import device as device_module
from mmcv_replace.ops import kernels, nms
from mmcv_replace.ops.deform.options import DeformOptions
from mmcv_replace.ops.deform.sampled_conv import plain_sampled_conv2d
from mmcv_replace.ops.roi.samples import Grid
from mmcv_replace.ops.roi_align import plain_roi_align

from .op_cases import LOW, close, uniform

TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 8 * LOW[torch.float16],
              torch.bfloat16: 8 * LOW[torch.bfloat16]}
CALLS = {
    'options': (DeformOptions((3, 2), (2, 1), (1, 2), (1, 2), 2, 3), (4, 3, 3, 2), None, None),
    'modulated': (DeformOptions((3, 3), padding=(1, 1)), (2, 6, 3, 3), 1, None),
    'biased': (DeformOptions((1, 1), groups=3), (3, 2, 1, 1), 1, 1),
}


@pytest.fixture
def vision():
    """The module, loaded although the host may have torchvision's operators for no use."""
    try:
        import torchvision.ops  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f'torchvision does not load: {error}')
    from mmcv_replace.ops.kernels import vision
    return vision


def tensors(name, dtype):
    options, kernel, masked, biased = CALLS[name]
    x = uniform(2, 6, 5, 7)
    size = options.output_size(x.shape[2:])
    count = options.deform_groups * options.points
    given = [x, uniform(2, 2 * count, *size, seed=1) * 3 + 1 / 512,
             uniform(2, count, *size, seed=2) if masked else None, uniform(*kernel, seed=3),
             uniform(kernel[0], seed=4) if biased else None]
    return [None if t is None else t.to(dtype).requires_grad_() for t in given], options


def outcome(function, given, options):
    out = function(*given, options)
    wanted = [t for t in given if t is not None]
    return [out.detach(), *torch.autograd.grad(out, wanted, uniform(*out.shape, seed=5).to(out))]


@pytest.mark.parametrize('name', CALLS)
def test_deform_conv2d_is_equal(vision, name):
    given, options = tensors(name, torch.float64)
    close(outcome(vision.deform_conv2d, given, options),
          outcome(plain_sampled_conv2d, given, options), 1e-12)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_16_bits_are_computed_in_float32(vision, dtype):
    given, options = tensors('modulated', dtype)
    out = vision.deform_conv2d(*given, options)
    exact = vision.deform_conv2d(*(t if t is None else t.float() for t in given), options)
    assert torch.equal(out, exact.to(dtype))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize('name', CALLS)
def test_deform_conv2d_in_other_precisions(vision, name, dtype):
    given, options = tensors(name, dtype)
    wide = [None if t is None else t.detach().double().requires_grad_() for t in given]
    close(outcome(vision.deform_conv2d, given, options),
          outcome(plain_sampled_conv2d, wide, options), TOLERANCES[dtype])


# On the map, across its border, outside of it, without a size, with a negative one, and none.
ROIS = [[0, 1.25, 2, 14.25, 11.75], [1, 0, 0, 21, 17], [1, 4.5, 4.5, 5, 5.25], [0, -8, -3, 40, 30],
        [0, -30, -30, -20, -20], [1, 50, 50, 60, 60], [0, 4, 4, 4, 4], [0, 9, 9, 3, 2]]


@pytest.mark.parametrize('dtype', TOLERANCES, ids=str)
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 1, 3])
@pytest.mark.parametrize('count', [8, 0])
def test_roi_align_is_equal(vision, count, ratio, aligned, dtype):
    grid, rois = Grid((3, 2), 0.5, ratio, aligned), torch.tensor(ROIS)[:count]
    x = uniform(2, 5, 9, 11).to(dtype).requires_grad_()
    wide = x.detach().double().requires_grad_()
    found = outcome(lambda x, _: vision.roi_align(x, rois.to(x), grid, 'avg'), [x], None)
    expected = outcome(lambda x, _: plain_roi_align(x, rois.to(x), grid, 'avg'), [wide], None)
    assert found[0].dtype == dtype
    close(found, expected, TOLERANCES[dtype])


def test_roi_align_leaves_to_others_what_it_cannot(vision):
    x, rois = torch.rand(1, 2, 4, 4), torch.tensor(ROIS)
    grid = Grid((3, 2), 0.5, 2, True)
    assert vision.roi_align(x, rois, grid, 'max') is NotImplemented
    assert vision.roi_align(x[:0], rois, grid, 'avg') is NotImplemented


@pytest.mark.parametrize('dtype', TOLERANCES, ids=str)
@pytest.mark.parametrize('threshold', [0.1, 0.4, 0.5, 0.9])
@pytest.mark.parametrize('count', [0, 1, 300])
def test_nms_is_equal(vision, count, threshold, dtype):
    low = uniform(count, 2) * 20
    sides = (uniform(count, 2, seed=1) + 1) * 8 + 1
    found = torch.cat([low, low + sides], 1).to(dtype)
    scores = torch.randperm(count, generator=torch.Generator().manual_seed(2)).float()
    for most in (count, 7):
        kept = vision.nms(found, scores, threshold, 0, 0, most)
        assert torch.equal(kept, nms(found, scores, threshold, max_num=most)[1])
    assert vision.nms(found, scores, threshold, 1, 0, count) is NotImplemented
    assert vision.nms(found, scores, threshold, 0, 0.5, count) is NotImplemented


@pytest.fixture
def row_of_the_host(monkeypatch):
    """The host's row names torchvision's operator, and nothing is loaded yet."""
    place = 'mmcv_replace.ops.kernels.vision:deform_conv2d'
    assert device_module.find_kind('cuda').kernels['deform_conv2d'] == (place,)
    kind = device_module.DeviceKind('cpu', backend='gloo', kernels={'deform_conv2d': (place,)})
    monkeypatch.setattr(device_module, 'KINDS', (kind,))
    modules = 'torchvision', 'mmcv_replace.ops.kernels.vision'
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr(kernels, 'vision', raising=False)
    kernels._kernels.cache_clear()
    yield
    for name in modules:  # which a test may have replaced by a stand-in
        sys.modules.pop(name, None)
    vars(kernels).pop('vision', None)
    kernels._kernels.cache_clear()


@pytest.mark.usefixtures('row_of_the_host')
def test_a_torchvision_that_does_not_load(tmp_path, monkeypatch, caplog):
    """As beside another build of torch: its own import raises RuntimeError."""
    (tmp_path / 'torchvision.py').write_text(
        'raise RuntimeError("operator torchvision::nms does not exist")')
    monkeypatch.syspath_prepend(tmp_path)
    given, options = tensors('modulated', torch.float32)
    out = kernels.run('deform_conv2d', plain_sampled_conv2d, *given, options)
    assert torch.equal(out, plain_sampled_conv2d(*given, options))
    assert 'vision does not load (operator torchvision::nms does not exist)' in caplog.text


@pytest.mark.usefixtures('row_of_the_host')
def test_the_row_leads_to_torchvision(tmp_path, monkeypatch):
    """With a stand-in that shows what it was called with."""
    (tmp_path / 'torchvision.py').write_text(
        'class ops:\n    deform_conv2d = staticmethod(lambda *args: args)\n')
    monkeypatch.syspath_prepend(tmp_path)
    given, options = tensors('options', torch.float32)
    found = kernels.run('deform_conv2d', plain_sampled_conv2d, *given, options)
    x, offset, mask, weight, bias = given
    assert found == (x, offset, weight, bias, (2, 1), (1, 2), (1, 2), mask)


@pytest.mark.usefixtures('row_of_the_host')
def test_nms_with_options_that_torchvision_has_not(tmp_path, monkeypatch):
    """With a stand-in that keeps all boxes."""
    (tmp_path / 'torchvision.py').write_text(
        'class ops:\n    nms = staticmethod(lambda boxes, scores, threshold: scores.argsort())\n')
    monkeypatch.syspath_prepend(tmp_path)
    vision = importlib.import_module('mmcv_replace.ops.kernels.vision')
    boxes, scores = torch.rand(3, 4), torch.rand(3)
    assert vision.nms(boxes, scores, 0.5, 0, 0, 2).equal(scores.argsort()[:2])
    assert vision.nms(boxes, scores, 0.5, 1, 0, 3) is NotImplemented
    assert vision.nms(boxes, scores, 0.5, 0, 0.1, 3) is NotImplemented
