"""Large images, in windows from their files, against the prediction of the whole image."""
import json
import re

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmcv_replace.image import imread, resize_rows
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis import init_segmentor
from mmseg.apis.inference import predict_images
from mmseg.models import EncoderDecoder, segmentors
from mmseg.prediction import large, large_files, map_store, network_input, stripes
from mmseg.prediction.large import predict_large, wants_windows
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.outputs import Outputs
from mmseg.prediction.sources import Source, Sources

tifffile = pytest.importorskip('tifffile')

SIZE = (61, 97)
SLIDE = dict(mode='slide', crop_size=(16, 12), stride=(11, 7))
WHOLE = dict(mode='whole')
OWN = dict(img_ratios=[1.0], img_scale=None)
RESIZE = dict(type='Resize', keep_ratio=True)
PALETTE = [[9, 8, 7], [200, 0, 0], [0, 0, 200]]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Strips, blocks and stripes of a few pixels."""
    monkeypatch.setattr(segmentors.encoder_decoder, 'MAX_LOGITS_MB', 0)
    monkeypatch.setattr(stripes, 'MAX_LOGITS_MB', 0)
    monkeypatch.setattr(stripes, 'ROWS_AT_ONCE', 7)
    monkeypatch.setattr(segmentors.seg_map, 'BLOCK_BYTES', 3000)
    monkeypatch.setattr(map_store, 'BLOCK_BYTES', 500)
    monkeypatch.setattr(network_input, 'WHOLE_ROWS', 10)
    monkeypatch.setattr(resize_rows, 'READ_BYTES', 4000)


def make_config(test_cfg, view=OWN, steps=(RESIZE,), channels=3, loader=None, after=(), scale=120):
    norm = dict(type='Normalize', mean=[scale] * channels, std=[scale / 2] * channels,
                to_rgb=channels == 3)
    pipeline = [
        dict(type='LoadImageFromFile', **(loader or {})),
        dict(type='MultiScaleFlipAug', **{'flip': False, **view}, transforms=[
            *steps, dict(type='RandomFlip'), norm, *after,
            dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
    model = dict(
        type='EncoderDecoder', test_cfg=test_cfg,
        backbone=dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                      in_channels=channels, out_indices=(0,), base_channels=8, stem_channels=8,
                      norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_convs=0,
                         concat_input=False, num_classes=3, dropout_ratio=0))
    return Config(dict(model=model, data=dict(workers_per_gpu=0, test=dict(
        type='CustomDataset', img_dir='img', classes=('a', 'b', 'c'), pipeline=pipeline))))


@torch.no_grad()
def make_model(cfg):
    """With a centred classifier, so that predictions vary over an image."""
    torch.manual_seed(0)
    model = init_segmentor(cfg, None, 'cpu')
    channels = cfg.model.backbone.in_channels
    nn.init.normal_(model.decode_head.conv_seg.weight)
    model.decode_head.conv_seg.bias -= model.forward_dummy(
        torch.randn(2, channels, 32, 32)).mean((0, 2, 3))
    model.CLASSES, model.PALETTE = ('a', 'b', 'c'), PALETTE
    return model


def picture(channels=3, size=SIZE, scale=120):
    rng = np.random.default_rng(0)
    coarse = (rng.random((12, 17, channels)) * 3 - 0.5) * 2 * scale
    fine = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, channels)
    return (fine + rng.normal(0, scale / 4, fine.shape)).clip(0, 2 * scale)


def write(path, channels=3, dtype=np.uint8, size=SIZE, scale=120, **options):
    img = picture(channels, size, scale).astype(dtype)
    img = img[..., 0] if channels == 1 else img
    if path.suffix == '.npy':
        np.save(path, img)
    elif path.suffix == '.tif':
        tifffile.imwrite(path, img, tile=(16, 32), metadata=None, planarconfig=None if
                         channels == 1 else 'contig', photometric='rgb' if channels == 3 else
                         'minisblack', extrasamples=['unspecified'] * (channels - 1) if
                         channels > 3 else None, **options)
    else:
        Image.fromarray(img).save(path)
    return str(path)


def predict(cfg, model, path, tmp_path, **options):
    """What is written of an image in parts, and its line in the list."""
    options = PredictOptions(out=str(tmp_path / 'out'), **options)
    outputs = Outputs(options, Sources([], [], [], []), ('a', 'b', 'c'), np.uint8(PALETTE), 3)
    source = Source('some/a', 'some/a', path)
    predict_large(model, cfg, source, outputs)
    outputs.close()
    assert not list((tmp_path / 'out').rglob('*.tmp*'))
    record, = (json.loads(line) for line in
               (tmp_path / 'out/predictions.jsonl').read_text().splitlines())
    return tmp_path / 'out', record


def check_alike(found, cfg, model, path, exact=False):
    """The labels are those of the whole image, except where rounding decides."""
    expected, = predict_images(model, [path], 'probabilities')
    assert len(np.unique(expected.seg_map)) > 1
    if exact:
        np.testing.assert_array_equal(found, expected.seg_map)
        return
    chosen = np.take_along_axis(expected.scores, found[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, expected.scores.max(axis=0), atol=1e-5)
    assert (found == expected.seg_map).mean() > 0.999


SHRINK = dict(img_scale=(50, 40))
ENLARGE = dict(img_scale=(150, 120))
CASES = {
    'own size': (SLIDE, {}),
    'shrunk': (SLIDE, dict(view=SHRINK)),
    'enlarged': (SLIDE, dict(view=ENLARGE)),
    'shrunk, whole': (WHOLE, dict(view=SHRINK)),
    'stretched': (SLIDE, dict(view=SHRINK, steps=[dict(type='Resize', keep_ratio=False)])),
    'multiple': (SLIDE, dict(steps=[dict(type='ResizeToMultiple', size_divisor=32)])),
    'shrunk, then multiple': (SLIDE, dict(view=SHRINK, steps=[
        RESIZE, dict(type='ResizeToMultiple', size_divisor=16)])),
    'padded': (SLIDE, dict(after=[dict(type='Pad', size_divisor=64)])),
    'padded far': (SLIDE, dict(after=[dict(type='Pad', size=(100, 150), pad_val=1.5)])),
    'padded first': (SLIDE, dict(steps=[RESIZE, dict(type='Pad', size=(80, 120), pad_val=200)])),
    'padded, whole': (WHOLE, dict(view=SHRINK, after=[dict(type='Pad', size_divisor=32)])),
    'one window': (dict(SLIDE, crop_size=(70, 120)), {}),
    'batches': (dict(SLIDE, batch_windows=5), {}),
    'float32': (SLIDE, dict(view=SHRINK, loader=dict(to_float32=True))),
}


@pytest.mark.parametrize('suffix', ['.tif', '.png'])
@pytest.mark.parametrize('case', CASES)
def test_labels_are_those_of_the_whole_image(tmp_path, case, suffix):
    test_cfg, settings = CASES[case]
    path, cfg = write(tmp_path / f'a{suffix}'), make_config(test_cfg, **settings)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path, overlays=False)
    found = np.array(Image.open(out / record['mask']))
    check_alike(found, cfg, model, path)
    assert record['mask'] == f'masks/some/a{suffix}'
    assert {key: record[key] for key in ('name', 'height', 'width')} == dict(
        name='some/a', height=61, width=97)
    assert record['shares'] == {name: round(float((found == label).mean()), 6)
                                for label, name in enumerate('abc') if (found == label).any()}


@pytest.mark.parametrize(('channels', 'dtype', 'suffix', 'loader'), [
    (1, np.uint8, '.tif', dict(color_type='grayscale')),
    (1, np.uint16, '.tif', dict(color_type='bands', channels=1)),
    (3, np.uint16, '.tif', dict(color_type='unchanged')),
    (5, np.uint8, '.tif', dict(color_type='bands', channels=5)),
    (5, np.uint16, '.npy', dict(color_type='bands', channels=5)),
    (5, np.float64, '.npy', dict(color_type='bands', channels=5))])
@pytest.mark.parametrize('view', [OWN, SHRINK])
def test_bands_and_types(tmp_path, channels, dtype, suffix, loader, view):
    scale = 9000 if dtype == np.uint16 else 120
    path = write(tmp_path / f'a{suffix}', channels, dtype, scale=scale)
    cfg = make_config(SLIDE, view, channels=channels, loader=loader, scale=scale)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path)
    check_alike(np.array(Image.open(out / record['mask'])), cfg, model, path)
    assert imread(out / record['overlay']).shape == (*SIZE, 3)


def test_one_stripe_has_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(stripes, 'LEAST_WINDOWS', 99)
    path, cfg = write(tmp_path / 'a.tif'), make_config(SLIDE)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path, scores='confidence')
    check_alike(np.array(Image.open(out / record['mask'])), cfg, model, path, exact=True)
    expected, = predict_images(model, [path], 'confidence')
    with np.load(out / record['scores']) as found:
        assert found['classes'].tolist() == ['a', 'b', 'c']
        np.testing.assert_array_equal(found['confidence'], expected.scores.astype(np.float16))


def test_uncertain_pixels_have_no_class(tmp_path):
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)
    model = make_model(cfg)
    expected, = predict_images(model, [path], 'confidence')
    threshold = float(np.median(expected.scores))
    out, record = predict(cfg, model, path, tmp_path, threshold=threshold)
    found = np.array(Image.open(out / record['mask']))
    sure = np.abs(expected.scores - threshold) > 1e-5
    np.testing.assert_array_equal(
        found[sure], np.where(expected.scores >= threshold, expected.seg_map, 255)[sure])
    assert record['uncertain'] == round(float((found == 255).mean()), 6) > 0.4
    assert sum(record['shares'].values()) == pytest.approx(1 - record['uncertain'], abs=1e-5)


def test_what_is_written_is_what_other_images_get(tmp_path):
    """The files of a PNG, which is not a TIFF, are those of the ordinary stream."""
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path, legend=True)
    mask = Image.open(out / record['mask'])
    assert mask.mode == 'P'
    assert mask.getpalette()[:9] == sum(PALETTE, [])
    expected, = predict_images(model, [path])
    painted = model.show_result(path, [np.array(mask)], palette=PALETTE, legend=True)
    assert (imread(out / record['overlay']) == painted).mean() > 0.999
    assert painted.shape[1] > SIZE[1]


@pytest.mark.parametrize('longest', [96, 40, 20])
def test_overlays_are_shrunk(tmp_path, monkeypatch, longest):
    monkeypatch.setattr(large_files, 'LONGEST_SIDE', longest)
    monkeypatch.setattr(large_files, 'BLOCK_BYTES', 4 * 97 * 9)
    path, cfg = write(tmp_path / 'a.tif'), make_config(SLIDE)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path)
    factor = {96: 2, 40: 3, 20: 5}[longest]
    height, width = SIZE[0] // factor, SIZE[1] // factor
    img = imread(path)[:height * factor, :width * factor]
    small = cv2.resize(img, (width, height), interpolation=cv2.INTER_AREA)
    labels = np.array(Image.open(out / record['mask']))[factor // 2::factor, factor // 2::factor]
    expected = model.show_result(small, [labels[:height, :width]])
    np.testing.assert_array_equal(imread(out / record['overlay']), expected)


def test_mask_of_a_tiff_lies_where_the_image_does(tmp_path):
    geo = [(33550, 'd', 3, (0.5, 0.5, 0.0), True), (33922, 'd', 6, (0, 0, 0, 4e5, 5e6, 0), True),
           (34735, 'H', 8, (1, 1, 0, 1, 1024, 0, 1, 1), True)]
    path, cfg = write(tmp_path / 'a.tif', extratags=geo), make_config(SLIDE)
    out, record = predict(cfg, make_model(cfg), path, tmp_path)
    assert record['mask'] == 'masks/some/a.tif'
    with tifffile.TiffFile(out / record['mask']) as mask, tifffile.TiffFile(path) as image:
        assert mask.pages[0].geotiff_tags == image.pages[0].geotiff_tags
        assert 'ModelTiepoint' in mask.pages[0].geotiff_tags


class Watched:
    """Rows of a file, of which the largest read is noted."""

    most = 0

    def __init__(self, rows):
        self._rows = rows
        self.height, self.width, self.shape = rows.height, rows.width, rows.shape

    def read(self, top, bottom, left=0, right=None):
        found = self._rows.read(top, bottom, left, right)
        Watched.most = max(Watched.most, found.nbytes)
        return found


def test_neither_width_nor_height_decides_the_memory(tmp_path, monkeypatch):
    seen = {}
    built = stripes.SegMapBuilder

    class Noted(built):
        def add(self, logits):
            Noted.most = max(Noted.most, logits.numel())
            super().add(logits)

    monkeypatch.setattr(stripes, 'SegMapBuilder', Noted)
    cfg = make_config(SLIDE)
    model = make_model(cfg)
    for size in ((60, 90), (120, 180)):
        Watched.most = Noted.most = 0
        path = write(tmp_path / f'{size[0]}.tif', size=size)
        rows = network_input.LoadedRows(large.loader_of(large.build_inference_pipeline(cfg)), path)
        with rows:
            view = large.find_view(model, cfg, path, rows.shape, PredictOptions('x'))
            parts = list(stripes.predict_parts(model, Watched(rows), view, 3, False))
        assert {part.columns[0] for part in parts} > {0}
        seen[size] = Watched.most, Noted.most
    assert len(set(seen.values())) == 1


def test_progress_counts_windows(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.tif'), make_config(SLIDE)
    bars = []

    class Bar(large.ProgressBar):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            bars.append(self)

    monkeypatch.setattr(large, 'ProgressBar', Bar)
    predict(cfg, make_model(cfg), path, tmp_path)
    assert bars[0].completed == bars[0].task_num > 6 * 14


OPTIONS = PredictOptions('x', max_pixels=SIZE[0] * SIZE[1] - 1)


def test_large_images_alone_are_predicted_in_parts(tmp_path):
    cfg = make_config(SLIDE)
    model = make_model(cfg)
    path = write(tmp_path / 'a.tif')
    assert wants_windows(path, cfg, OPTIONS, model)
    assert not wants_windows(path, cfg, PredictOptions('x', max_pixels=SIZE[0] * SIZE[1]), model)
    (tmp_path / 'none.tif').write_bytes(b'nothing')
    assert not wants_windows(str(tmp_path / 'none.tif'), cfg, OPTIONS, model)


@pytest.mark.parametrize(('suffix', 'package'), [
    ('.png', 'sequential_rows.has_vips'), ('.tif', 'rows.has_tifffile')])
def test_a_package_that_would_read_rows_is_named(tmp_path, monkeypatch, caplog, suffix, package):
    monkeypatch.setattr('mmcv_replace.image.formats.rows.has_vips', lambda: False)
    monkeypatch.setattr(f'mmcv_replace.image.formats.{package}', lambda: False)
    path, cfg = write(tmp_path / f'a{suffix}'), make_config(SLIDE)
    predict(cfg, make_model(cfg), path, tmp_path, masks=False)
    assert re.search(rf"a{suffix} is decoded as a whole.*mmseg-ascend\[large\]", caplog.text)


class Own(EncoderDecoder):
    def slide_inference(self, img, img_meta, rescale):
        return super().slide_inference(img, img_meta, rescale)


@pytest.mark.parametrize(('how', 'options', 'words'), [
    (dict(test_cfg=SLIDE, view=dict(OWN, flip=True)), {}, 'in 2 scales or flips'),
    (dict(test_cfg=SLIDE, view=dict(OWN, img_ratios=[0.5, 1.0, 2.0])), {}, 'in 3 scales or flips'),
    (dict(test_cfg=WHOLE), {}, '--slide predicts it by windows'),
    (dict(test_cfg=SLIDE), dict(scores='probabilities'), '--scores confidence'),
    (dict(test_cfg=SLIDE, steps=[RESIZE, dict(type='CLAHE')]), {}, 'CLAHE of the test pipeline'),
    (dict(test_cfg=SLIDE, after=[RESIZE]), {}, 'Resize of the test pipeline'),
    (dict(test_cfg=SLIDE, loader=dict(file_client_args=dict(backend='http'))), {}, 'in its own'),
    (dict(test_cfg=SLIDE, steps=[dict(type='ResizeToMultiple', interpolation='nearest')]), {},
     'rows are resized bilinearly')])
def test_why_an_image_is_read_as_a_whole(tmp_path, caplog, how, options, words):
    cfg = make_config(**how)
    path = write(tmp_path / 'a.tif')
    chosen = PredictOptions('x', max_pixels=OPTIONS.max_pixels, **options)
    assert not wants_windows(path, cfg, chosen, make_model(cfg))
    assert re.search(f'more than {OPTIONS.max_pixels:,} pixels is read .* as a whole.*{words}',
                     caplog.text)


def test_a_model_with_its_own_way(tmp_path, caplog):
    cfg = make_config(SLIDE)
    model = make_model(cfg)
    model.__class__ = Own
    assert not wants_windows(write(tmp_path / 'a.tif'), cfg, OPTIONS, model)
    assert 'Own predicts in its own way' in caplog.text


def test_damaged_tiles_leave_nothing_behind(tmp_path):
    path, cfg = write(tmp_path / 'a.tif', compression='zlib'), make_config(SLIDE)
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[5]
    with open(path, 'r+b') as file:
        file.seek(place)
        file.write(b'\xff' * 9)
    with pytest.raises(DataError, match='a.tif: its part 5 cannot be decoded'):
        predict(cfg, make_model(cfg), path, tmp_path)
    left = [each.name for each in (tmp_path / 'out').rglob('*') if each.is_file()]
    assert left == ['predictions.jsonl']
    assert (tmp_path / 'out/predictions.jsonl').read_bytes() == b''


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)
    blocks = map_store.FileArray.blocks

    def stop(self):
        yield from list(blocks(self))[:3]
        raise KeyboardInterrupt

    monkeypatch.setattr(map_store.FileArray, 'blocks', stop)
    with pytest.raises(KeyboardInterrupt):
        predict(cfg, make_model(cfg), path, tmp_path)
    left = [each.name for each in (tmp_path / 'out').rglob('*') if each.is_file()]
    assert left == ['predictions.jsonl']


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)

    def put(self, *args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(map_store.FileArray, 'put', put)
    with pytest.raises(DataError, match='some/a: its outputs cannot be .*No space left on device'):
        predict(cfg, make_model(cfg), path, tmp_path)


def test_bands_that_the_model_does_not_take(tmp_path):
    path = write(tmp_path / 'a.tif', 5)
    cfg = make_config(SLIDE, channels=4, loader=dict(color_type='bands', channels=4))
    with pytest.raises(DataError, match='has 5 bands .* in_channels=4'):
        predict(cfg, make_model(cfg), path, tmp_path)
    cfg = make_config(SLIDE, channels=4, loader=dict(color_type='bands'))
    with pytest.raises(ConfigError, match='have 4 values, the image .* has 5 channels'):
        predict(cfg, make_model(cfg), path, tmp_path)
