"""Whole, slide and augmented inference against slow references."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmseg.models.segmentors.slide import slide_logits

CLASSES = 5


@pytest.fixture
def build_tiny(build_tiny):
    """In double precision, so that rounding decides no label."""
    return lambda **changes: build_tiny(**changes).double()


def images(size=(40, 56), number=2):
    return torch.randn(number, 3, *size, dtype=torch.float64)


def predict(model, imgs, metas, **options):
    with torch.no_grad():
        return model.eval()(return_loss=False, img=imgs, img_metas=metas, **options)


def bilinear(logits, size, align_corners=False):
    return F.interpolate(logits, size, mode='bilinear', align_corners=align_corners)


# ------------------------------------------------------------------ windows


def test_one_window_over_everything_is_the_whole(build_tiny, make_metas):
    img, metas = images(), make_metas((40, 56), (40, 56))
    whole = build_tiny().eval()
    slide = build_tiny(test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(32, 32))).eval()
    with torch.no_grad():
        assert torch.equal(slide.slide_inference(img, metas, True),
                           whole.whole_inference(img, metas, True))
    for a, b in zip(predict(slide, [img], [metas]), predict(whole, [img], [metas]), strict=True):
        assert np.array_equal(a, b)


def test_sliding_uses_crop_and_stride(build_tiny, make_metas):
    model = build_tiny(test_cfg=dict(mode='slide', crop_size=(32, 40), stride=(20, 24))).eval()
    img, metas = images((50, 60), 1), make_metas(((25, 30), (50, 60), (50, 60)))
    with torch.no_grad():
        dense = slide_logits(model.forward_dummy, img, (32, 40), (20, 24))
        torch.testing.assert_close(model.slide_inference(img, metas, False), dense)
        torch.testing.assert_close(model.slide_inference(img, metas, True),
                                   bilinear(dense, (25, 30)))
        torch.testing.assert_close(model.inference(img, metas, True),
                                   bilinear(dense, (25, 30)).softmax(1))


# ------------------------------------------------------------------ one view


@pytest.mark.parametrize('align_corners', [False, True])
def test_label_maps_have_the_original_size(build_tiny, tiny_cfg, make_metas, align_corners):
    head = dict(tiny_cfg['decode_head'], align_corners=align_corners)
    model = build_tiny(decode_head=head).eval()
    img, metas = images(number=1), make_metas(((20, 33), (40, 56), (40, 56)))
    with torch.no_grad():
        logits = bilinear(model.encode_decode(img, metas), (20, 33), align_corners)
    found = predict(model, [img], [metas], rescale=True)
    assert len(found) == 1
    assert found[0].dtype == np.uint8
    assert np.array_equal(found[0], logits.argmax(1)[0].numpy())
    assert len(np.unique(found[0])) > 1


@pytest.mark.parametrize('align_corners', [False, True])
def test_encode_decode_enlarges_the_logits(build_tiny, tiny_cfg, align_corners):
    head = dict(tiny_cfg['decode_head'], align_corners=align_corners)
    model, img = build_tiny(decode_head=head).eval(), images()
    with torch.no_grad():
        small = model.decode_head(model.extract_feat(img))
        assert small.shape == (2, CLASSES, 5, 7)
        torch.testing.assert_close(model.encode_decode(img, None),
                                   bilinear(small, (40, 56), align_corners))


def test_without_rescaling_the_size_is_that_of_the_resized_image(build_tiny, make_metas):
    found = predict(build_tiny(), [images(number=1)], [make_metas(((9, 9), (38, 50), (40, 56)))],
                    rescale=False)
    assert found[0].shape == (38, 50)


def test_padding_is_cut_before_resizing(build_tiny, make_metas):
    model = build_tiny().eval()
    img, metas = images(number=1), make_metas(((20, 25), (36, 50), (40, 56)))
    with torch.no_grad():
        logits = model.encode_decode(img, metas)[:, :, :36, :50]
    expected = bilinear(logits, (20, 25)).argmax(1)[0].numpy()
    assert np.array_equal(predict(model, [img], [metas])[0], expected)


@pytest.mark.parametrize('test_cfg', [
    dict(mode='whole'), dict(mode='slide', crop_size=(32, 32), stride=(16, 16))])
def test_images_of_any_sizes_share_a_batch(build_tiny, make_metas, test_cfg):
    model = build_tiny(test_cfg=test_cfg)
    sizes = [((20, 30), (40, 56), (40, 56)), ((33, 22), (48, 32), (48, 32)),
             ((25, 25), (40, 56), (40, 56)), ((31, 17), (30, 50), (32, 56))]
    metas = make_metas(*sizes)
    single = [images(padded, 1) for _, _, padded in sizes]
    # What collating fills in must not matter.
    batch = torch.full((4, 3, 48, 56), 9.0, dtype=torch.float64)
    for row, img in zip(batch, single, strict=True):
        row[:, :img.shape[2], :img.shape[3]] = img[0]
    together = predict(model, [batch], [metas])
    for img, meta, found in zip(single, metas, together, strict=True):
        assert found.shape == meta['ori_shape'][:2]
        assert np.array_equal(found, predict(model, [img], [[meta]])[0])


@pytest.mark.parametrize(('classes', 'dtype'), [(256, np.uint8), (257, np.int32)])
def test_type_of_the_labels(build_tiny, tiny_cfg, make_metas, classes, dtype):
    head = dict(tiny_cfg['decode_head'], num_classes=classes)
    model = build_tiny(decode_head=head, auxiliary_head=None)
    model.decode_head.conv_seg.bias.data[-1] = 1e6
    found = predict(model, [images(number=1)], [make_metas((40, 56))])[0]
    assert found.dtype == dtype
    assert found.min() == classes - 1


def test_probabilities(build_tiny, make_metas):
    model, img, metas = build_tiny().eval(), images(), make_metas((40, 56), (40, 56))
    with torch.no_grad():
        found = model.inference(img, metas, rescale=True)
        expected = model.encode_decode(img, metas).softmax(1)
    torch.testing.assert_close(found, expected)
    with pytest.raises(DataError, match=r'\(20, 30\), \(40, 56\).*simple_test'):
        model.inference(img, make_metas((40, 56), ((20, 30), (40, 56), (40, 56))), rescale=True)


# ------------------------------------------------------------------ several views


class Pointwise:
    """A model's `encode_decode` that treats each pixel alone, so that views can be compared."""

    def __init__(self):
        self.matrix = torch.randn(CLASSES, 3, dtype=torch.float64)

    def __call__(self, img, img_metas):
        return torch.einsum('kc,nchw->nkhw', self.matrix, img)


FLIPS = {None: [], 'horizontal': [3], 'vertical': [2], 'diagonal': [2, 3]}


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_flips_are_undone(build_tiny, make_metas, monkeypatch, direction):
    model = build_tiny()
    monkeypatch.setattr(model, 'encode_decode', Pointwise())
    img = images()
    plain = predict(model, [img], [make_metas((40, 56), (40, 56))])
    metas = make_metas((40, 56), (40, 56), flip_direction=direction)
    for meta in metas:
        meta['flip'] = True
    flipped = predict(model, [img.flip(FLIPS[direction])], [metas])
    for a, b in zip(plain, flipped, strict=True):
        assert np.array_equal(a, b)


def test_padding_of_a_flipped_image_is_cut_first(build_tiny, make_metas, monkeypatch):
    model = build_tiny()
    monkeypatch.setattr(model, 'encode_decode', Pointwise())
    img = images(number=1)
    metas = make_metas(((36, 50), (36, 50), (40, 56)))
    plain = predict(model, [img], [metas])[0]
    flipped = F.pad(img[:, :, :36, :50].flip([3]), (0, 6, 0, 4))
    metas[0]['flip'] = True
    assert np.array_equal(predict(model, [flipped], [metas])[0], plain)


def test_views_are_merged_by_mean_probability(build_tiny, make_metas, monkeypatch):
    model = build_tiny()
    forward = Pointwise()
    monkeypatch.setattr(model, 'encode_decode', forward)
    sizes = [(24, 36), (40, 56), (40, 56), (52, 70)]
    flips = [None, None, 'horizontal', 'vertical']
    imgs, views, expected = [], [], [0, 0]
    originals = [(20, 31), (27, 29)]
    for size, flip in zip(sizes, flips, strict=True):
        metas = make_metas(*[(original, size, size) for original in originals])
        for meta in metas:
            meta.update(flip=flip is not None, flip_direction=flip or 'horizontal')
        img = images(size)
        imgs.append(img)
        views.append(metas)
        for i, original in enumerate(originals):
            logits = bilinear(forward(img[i:i + 1], None), original)
            expected[i] = expected[i] + logits.softmax(1).flip(FLIPS[flip]) / 4
    found = predict(model, imgs, views)
    for label_map, mean in zip(found, expected, strict=True):
        assert np.array_equal(label_map, mean.argmax(1)[0].numpy())


def test_views_must_be_rescaled(build_tiny, make_metas):
    metas = make_metas((40, 56), (40, 56))
    with pytest.raises(ConfigError, match='leave rescale=True'):
        predict(build_tiny(), [images(), images()], [metas, metas], rescale=False)


# ------------------------------------------------------------------ wrong use


def test_views_must_be_lists(build_tiny, make_metas):
    metas = make_metas((40, 56), (40, 56))
    with pytest.raises(ArgumentError, match='img must be a list.*got Tensor'):
        predict(build_tiny(), images(), [metas])
    with pytest.raises(ArgumentError, match='img_metas must be a list.*got tuple'):
        predict(build_tiny(), [images()], (metas,))
    with pytest.raises(DataError, match='2 views of images but 1 of img_metas'):
        predict(build_tiny(), [images(), images()], [metas])


def test_unknown_flip(build_tiny, make_metas):
    metas = make_metas((40, 56), flip_direction='sideways')
    metas[0]['flip'] = True
    with pytest.raises(ConfigError, match="'sideways' is not known"):
        predict(build_tiny(), [images(number=1)], [metas])


@pytest.mark.parametrize(('test_cfg', 'message'), [
    (dict(mode='sliding'), "test_cfg.mode='sliding' .* takes 'whole' . 'slide'"),
    (dict(crop_size=(8, 8)), 'lacks mode'),
    (dict(mode='slide', stride=(8, 8)), r'needs crop_size and stride as \(height, width'),
    (dict(mode='slide', crop_size=('a', 'b'), stride=(8, 8)), r"test_cfg.crop_size=\('a', 'b'\)"),
    (dict(mode='slide', crop_size=(8, 8), stride=8), 'test_cfg.stride=8'),
    (dict(mode='slide', crop_size=(8, 8), stride=(0, 8)), r'test_cfg.stride=\(0, 8\)'),
    (dict(mode='slide', crop_size=(8, 8), stride=(8, 8), batch_windows=0),
     'test_cfg.batch_windows=0 .* takes int from 1 on'),
    (dict(mode='whole', max_logits_mb=0.5), 'test_cfg.max_logits_mb=0.5 .* does not fit'),
    (dict(mode='slide', crop_size=(8, 9), stride=(9, 8)), 'would leave gaps'),
    (dict(mode='slide', crop_size=(9, 8), stride=(8, 9)), 'would leave gaps')])
def test_settings_are_checked_when_building(build_tiny, test_cfg, message):
    with pytest.raises(ConfigError, match=message):
        build_tiny(test_cfg=test_cfg)


@pytest.mark.parametrize('stride', [(8, 8), (1, 1)])
def test_windows_may_touch_or_overlap(build_tiny, stride):
    test_cfg = dict(mode='slide', crop_size=(8, 8), stride=stride)
    assert build_tiny(test_cfg=test_cfg).test_cfg == test_cfg


def test_mode_may_be_changed_later(build_tiny, make_metas):
    model = build_tiny(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16)))
    img, metas = images(), make_metas((40, 56), (40, 56))
    model.test_cfg.mode = 'whole'
    whole = predict(build_tiny(), [img], [metas])
    assert np.array_equal(predict(model, [img], [metas])[1], whole[1])
    model.test_cfg.mode = 'windows'
    with pytest.raises(ConfigError, match="'windows'"):
        predict(model, [img], [metas])
