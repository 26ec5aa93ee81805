"""What is written of large images, and which are predicted as a whole instead."""
import json
import logging
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.image import imread
from mmseg.apis import init_segmentor
from mmseg.apis.inference import predict_images
from mmseg.apis.predict.job import predict_from_config
from mmseg.models import EncoderDecoder
from mmseg.prediction import large_files
from mmseg.prediction.large import wants_windows
from mmseg.prediction.options import PredictOptions

from .large_images import (
    OWN,
    PALETTE,
    RESIZE,
    SHRINK,
    SIZE,
    SLIDE,
    WHOLE,
    check_alike,
    make_config,
    make_model,
    predict,
    write,
)

tifffile = pytest.importorskip('tifffile')

pytestmark = pytest.mark.usefixtures('small_parts')


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


OPTIONS = PredictOptions('x', max_pixels=SIZE[0] * SIZE[1] - 1)


def test_large_images_alone_are_predicted_in_parts(tmp_path):
    cfg = make_config(SLIDE)
    model = make_model(cfg)
    path = write(tmp_path / 'a.tif')
    assert wants_windows(path, cfg, OPTIONS, model)
    assert not wants_windows(path, cfg, PredictOptions('x', max_pixels=SIZE[0] * SIZE[1]), model)
    (tmp_path / 'none.tif').write_bytes(b'nothing')
    assert not wants_windows(str(tmp_path / 'none.tif'), cfg, OPTIONS, model)


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_a_package_that_would_read_rows_is_named(tmp_path, monkeypatch, caplog, suffix):
    for name in ('rows.has_vips', 'sequential_rows.has_vips', 'rows.has_tifffile',
                 'tiff_writer.has_tifffile'):
        monkeypatch.setattr(f'mmcv_replace.image.formats.{name}', lambda: False)
    path, cfg = write(tmp_path / f'a{suffix}'), make_config(SLIDE)
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path)
    assert record['mask'] == 'masks/some/a.png'
    check_alike(np.array(Image.open(out / record['mask'])), cfg, model, path)
    assert re.search(rf"a{suffix} is decoded as a whole.*mmseg-ascend\[large\]", caplog.text)


@pytest.mark.parametrize(('suffix', 'name', 'mask'), [
    ('.png', 'a.tif', 'a.png'), ('.tif', 'a.dat', 'a.tif')])
def test_the_kind_of_a_mask_is_that_of_the_content(tmp_path, suffix, name, mask):
    path = write(tmp_path / f'stored{suffix}')
    path, cfg = str(Path(path).rename(tmp_path / name)), make_config(SLIDE)
    out, record = predict(cfg, make_model(cfg), path, tmp_path)
    assert record['mask'] == f'masks/some/{mask}'
    assert np.array(Image.open(out / record['mask'])).shape == SIZE


def test_a_pipeline_that_shrinks_is_told(tmp_path, caplog):
    path = write(tmp_path / 'a.tif')
    with caplog.at_level(logging.INFO, 'mmseg'):
        logging.getLogger('mmseg').propagate = True
        for view, options in ((OWN, {}), (dict(img_scale=(200, 200)), {}),
                              (SHRINK, dict(scale=0.5)), (SHRINK, {})):
            assert 'shrinks' not in caplog.text
            cfg = make_config(SLIDE, view)
            predict(cfg, make_model(cfg), path, tmp_path, **options)
    assert (f'{path}, and maybe others: the test pipeline shrinks 97 x 61 pixels to 50 x 31; if '
            'the model was trained on larger ones, --scale 1 predicts' in caplog.text)


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


def test_the_command_predicts_large_images_beside_others(tmp_path, capsys):
    cfg = make_config(SLIDE)
    torch.save(dict(meta={}, state_dict=make_model(cfg).state_dict()), tmp_path / 'model.pth')
    folder = tmp_path / 'images'
    folder.mkdir()
    write(folder / 'small.png', size=(20, 30))
    large, damaged = (write(folder / f'{name}.tif', compression='zlib')
                      for name in ('large', 'damaged'))
    with tifffile.TiffFile(damaged) as file:
        place = file.pages[0].dataoffsets[5]
    with open(damaged, 'r+b') as file:
        file.seek(place)
        file.write(b'\xff' * 9)
    out = tmp_path / 'out'
    chosen = PredictOptions(out=str(out), max_pixels=OPTIONS.max_pixels)
    assert predict_from_config(cfg, str(tmp_path / 'model.pth'), [str(folder)], chosen, 'cpu') == 1
    bars = capsys.readouterr().err
    assert re.search(r'\r100%.* 1/1 .*image/s.*\n', bars)
    assert all(f'{name}.tif, large image {number} of 2: ' in bars
               for number, name in enumerate(('damaged', 'large'), start=1))
    lines = [json.loads(line) for line in (out / 'predictions.jsonl').read_text().splitlines()]
    assert {line['name']: line['mask'] for line in lines} == {
        'small.png': 'masks/small.png', 'large.tif': 'masks/large.tif'}
    model = init_segmentor(cfg, str(tmp_path / 'model.pth'), 'cpu')
    check_alike(np.array(Image.open(out / 'masks/large.tif')), cfg, model, large)
    assert sorted(path.name for path in out.rglob('*.*')) == [
        'large.png', 'large.tif', 'predicted_by.json', 'predictions.jsonl', 'small.png',
        'small.png']
