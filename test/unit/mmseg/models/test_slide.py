"""Inference by windows: the mean over them, their batches, and large images in strips."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

from mmseg.models import EncoderDecoder, segmentors
from mmseg.models.segmentors.slide import (
    TensorWindows,
    slide_logits,
    slide_strips,
    window_spans,
)

CLASSES = 5


@pytest.fixture
def build_tiny(build_tiny):
    """In double precision, so that rounding decides no label."""
    return lambda **changes: build_tiny(**changes).double()


class Pointwise:
    """A model's `encode_decode` that treats each pixel alone and costs little."""

    def __init__(self, classes=CLASSES):
        self.matrix = torch.randn(classes, 3, dtype=torch.float64)

    def __call__(self, img, img_metas):
        return torch.einsum('kc,nchw->nkhw', self.matrix, img)


def images(size=(40, 56), number=2):
    return torch.randn(number, 3, *size, dtype=torch.float64)


def predict(model, imgs, metas, **options):
    with torch.no_grad():
        return model.eval()(return_loss=False, img=imgs, img_metas=metas, **options)


@pytest.mark.parametrize(('size', 'crop', 'stride', 'spans'), [
    (10, 4, 3, [(0, 4), (3, 7), (6, 10)]), (10, 4, 4, [(0, 4), (4, 8), (6, 10)]),
    (10, 10, 3, [(0, 10)]), (7, 10, 3, [(0, 7)]), (11, 10, 9, [(0, 10), (1, 11)]),
    (5, 1, 1, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])])
def test_windows_along_one_axis(size, crop, stride, spans):
    assert window_spans(size, crop, stride) == spans


@pytest.mark.parametrize(('size', 'crop', 'stride'), [
    ((13, 17), (6, 5), (4, 3)), ((13, 17), (13, 17), (2, 2)), ((5, 17), (8, 6), (3, 6)),
    ((4, 5), (8, 8), (1, 1)), ((12, 12), (6, 6), (6, 6))])
def test_mean_over_windows(size, crop, stride):
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)

    def forward(window):
        return F.conv2d(window, weight, padding=1)

    img = torch.randn(2, 3, *size, dtype=torch.float64)
    total = torch.zeros(2, 4, *size, dtype=torch.float64)
    count = torch.zeros(*size)
    for top in range(0, max(size[0] - crop[0] + stride[0] - 1, 0) // stride[0] + 1):
        for left in range(0, max(size[1] - crop[1] + stride[1] - 1, 0) // stride[1] + 1):
            bottom = min(top * stride[0] + crop[0], size[0])
            right = min(left * stride[1] + crop[1], size[1])
            y, x = max(bottom - crop[0], 0), max(right - crop[1], 0)
            total[:, :, y:bottom, x:right] += forward(img[:, :, y:bottom, x:right])
            count[y:bottom, x:right] += 1
    assert count.min() >= 1
    found = slide_logits(forward, img, crop, stride)
    torch.testing.assert_close(found, total / count)
    for batch_windows in (1, 2, 5, 100):
        strips = [strip.clone() for strip in slide_strips(
            forward, img, crop, stride, batch_windows, max_bytes=1)]
        # A row is handed out when the next row of windows begins below it.
        assert [strip.size(2) for strip in strips] == np.diff(
            [top for top, _ in window_spans(size[0], crop[0], stride[0])] + [size[0]]).tolist()
        torch.testing.assert_close(torch.cat(strips, dim=2), found, rtol=0, atol=1e-12)


class Watched(TensorWindows):
    """Windows of an image, which are noted."""

    def __init__(self, img):
        super().__init__(img)
        self.seen = []

    def window(self, rows, columns):
        self.seen.append((*rows, *columns))
        return super().window(rows, columns)


@pytest.mark.parametrize('max_bytes', [1, float('inf')])
@pytest.mark.parametrize(('columns', 'starts'), [
    ((0, 3), [0]), ((0, 4), [0, 3]), ((6, 9), [3, 6]), ((7, 23), [3, 6, 9, 12, 15, 17]),
    ((22, 23), [17])])
def test_columns_of_an_image(columns, starts, max_bytes):
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)

    def forward(window):
        return F.conv2d(window, weight, padding=1)

    source = Watched(images((13, 23)))
    whole = slide_logits(forward, source, (6, 6), (4, 3))
    source.seen.clear()
    found = torch.cat([strip.clone() for strip in slide_strips(
        forward, source, (6, 6), (4, 3), 2, max_bytes, columns)], dim=2)
    torch.testing.assert_close(found, whole[..., slice(*columns)], rtol=0, atol=1e-12)
    assert source.seen == [(top, top + 6, left, left + 6) for top in (0, 4, 7) for left in starts]


@pytest.mark.parametrize(('batch_windows', 'calls'), [(1, [2] * 9), (4, [8, 8, 2]), (9, [18])])
def test_windows_are_computed_together(batch_windows, calls):
    seen = []

    def forward(windows):
        seen.append(len(windows))
        return windows

    img = images((12, 12))
    torch.testing.assert_close(slide_logits(forward, img, (6, 6), (3, 3), batch_windows), img)
    assert seen == calls


@pytest.mark.parametrize(('options', 'pixels', 'calls'), [
    ({}, 32 * 40 * 2, [1] * 4), ({}, 32 * 40 * 6 + 1, [3, 1]), ({}, 1, [1] * 4),
    (dict(batch_windows=2), 1, [2, 2])])
def test_how_many_windows_a_model_computes_together(build_tiny, make_metas, monkeypatch, options,
                                                    pixels, calls):
    monkeypatch.setattr(segmentors.encoder_decoder, 'PIXELS_AT_ONCE', pixels)
    test_cfg = dict(mode='slide', crop_size=(32, 40), stride=(8, 16), **options)
    model, seen = build_tiny(test_cfg=test_cfg), []

    def encode_decode(img, img_metas):
        seen.append(len(img) // 2)
        assert len(img_metas) == len(img)
        return img

    model.encode_decode = encode_decode
    predict(model, [images()], [make_metas((40, 56), (40, 56))])
    assert seen == calls


def test_a_map_that_fits_comes_in_one_strip():
    img = images((12, 12), 1)
    for limit, number in ((img.nbytes, 1), (img.nbytes - 1, 3)):
        assert len(list(slide_strips(lambda x: x, img, (6, 6), (3, 3), max_bytes=limit))) == number


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('original', [(50, 60), (75, 90), (31, 33)])
def test_large_images_are_finished_in_strips(build_tiny, tiny_cfg, make_metas, monkeypatch,
                                             align_corners, original):
    monkeypatch.setattr(segmentors.seg_map, 'BLOCK_BYTES', 2**14)
    monkeypatch.setattr(segmentors.encoder_decoder, 'MAX_LOGITS_MB', 0)
    test_cfg = dict(mode='slide', crop_size=(24, 24), stride=(10, 13))
    head = dict(tiny_cfg['decode_head'], align_corners=align_corners)
    img = images((56, 64))
    metas = make_metas((original, (50, 60), (56, 64)), ((56, 64), (56, 64), (56, 64)))
    metas[0].update(flip=True, flip_direction='horizontal')
    strips = build_tiny(test_cfg=test_cfg, decode_head=head)
    plain = build_tiny(test_cfg=dict(test_cfg, max_logits_mb=None), decode_head=head)
    strips.encode_decode = plain.encode_decode = Pointwise()
    for rescale in (True, False):
        expected = predict(plain, [img], [metas], rescale=rescale)
        for found, whole in zip(predict(strips, [img], [metas], rescale=rescale), expected,
                                strict=True):
            np.testing.assert_array_equal(found, whole)
    logits = strips.eval().slide_inference(img, metas, rescale=False)[:1, :, :50, :60]
    whole = F.interpolate(logits, original, mode='bilinear', align_corners=align_corners)
    np.testing.assert_array_equal(predict(strips, [img], [metas])[0],
                                  whole.flip(3).argmax(1)[0].numpy())


class MemoryOf:
    """Counts the bytes that torch holds inside the block, beyond those before; `peak` in MiB."""

    def __enter__(self):
        self.profile = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
        self.profile.__enter__()
        return self

    def __exit__(self, *error):
        self.profile.__exit__(*error)
        changes = [(event.start_ns(), event.nbytes())
                   for event in self.profile.profiler.kineto_results.events()
                   if event.name() == '[memory]']
        held = np.cumsum([change for _, change in sorted(changes)])
        self.peak = held.max() / 2**20


@pytest.mark.parametrize('rescale', [True, False])
def test_memory_of_a_large_image_is_bounded(build_tiny, make_metas, monkeypatch, rescale):
    monkeypatch.setattr(segmentors.seg_map, 'BLOCK_BYTES', 2**18)
    size, original = (640, 160), (500, 200)
    metas = make_metas((original, size, size))
    img = images(size, 1)
    peak = {}
    for limit in (1, None):
        test_cfg = dict(mode='slide', crop_size=(48, 64), stride=(32, 48), batch_windows=1,
                        max_logits_mb=limit)
        model = build_tiny(test_cfg=test_cfg).eval()
        monkeypatch.setattr(model, 'encode_decode', Pointwise(20))
        with MemoryOf() as memory:
            predict(model, [img], [metas], rescale=rescale)
        peak[limit] = memory.peak
    whole = 20 * 640 * 160 * 8 / 2**20
    assert peak[None] > whole
    # Twice the rows of a window, and blocks.
    assert peak[1] < 2 * whole * 48 / 640 + 3


def test_a_subclass_may_join_windows_its_own_way(build_tiny, make_metas):
    class Last(EncoderDecoder):
        def slide_inference(self, img, img_meta, rescale):
            logits = img.new_zeros(len(img), CLASSES, *img.shape[2:])
            logits[:, 3] = 1
            return logits

    test_cfg = dict(mode='slide', crop_size=(32, 32), stride=(16, 16))
    model = build_tiny(type=Last, test_cfg=test_cfg)
    assert (predict(model, [images()], [make_metas((40, 56), (40, 56))])[0] == 3).all()
