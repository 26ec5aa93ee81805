"""Large images, in windows from their files, against the prediction of the whole image."""
import threading
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.image import imread
from mmseg.apis.inference import predict_images
from mmseg.prediction import large, network_input, stripes
from mmseg.prediction.options import PredictOptions

from .large_images import (
    OWN,
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

pytestmark = pytest.mark.usefixtures('small_parts')

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
    'shrunk, padded far': (SLIDE, dict(view=SHRINK, after=[dict(type='Pad', size=(90, 120))])),
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
    path, cfg = write(tmp_path / 'a.tif'), make_config(dict(SLIDE, batch_windows=5))
    model = make_model(cfg)
    out, record = predict(cfg, model, path, tmp_path, scores='confidence')
    check_alike(np.array(Image.open(out / record['mask'])), cfg, model, path, exact=True)
    expected, = predict_images(model, [path], 'confidence')
    with np.load(out / record['scores']) as found:
        assert found['classes'].tolist() == ['a', 'b', 'c']
        np.testing.assert_array_equal(found['confidence'], expected.scores.astype(np.float16))


@pytest.mark.parametrize(('settings', 'together'), [({}, {1}), (dict(batch_windows=4), {4, 2})])
def test_a_host_computes_windows_one_by_one(tmp_path, settings, together):
    cfg = make_config(dict(SLIDE, crop_size=(40, 97), stride=(7, 97), **settings))
    model, seen = make_model(cfg), []
    loader = large.loader_of(large.build_inference_pipeline(cfg))
    with network_input.LoadedRows(loader, write(tmp_path / 'a.tif', size=(71, 97))) as rows:
        view = large.find_view(model, cfg, 'a', rows.shape, PredictOptions('x'))
        assert list(stripes.predict_parts(model, rows, view, 3, False, seen.append))
    assert set(seen) == together
    assert sum(seen) == 6


def test_a_stripe_is_gone_when_the_next_begins(tmp_path, monkeypatch):
    cfg = make_config(SLIDE)
    model, seen = make_model(cfg), []
    slide_strips, built = stripes.slide_strips, stripes.SegMapBuilder

    class Noted(built):
        def add(self, logits):
            seen.append(weakref.ref(logits))
            super().add(logits)

    def begin(*args, **kwargs):
        assert all(reference() is None for reference in seen)
        return slide_strips(*args, **kwargs)

    monkeypatch.setattr(stripes, 'SegMapBuilder', Noted)
    monkeypatch.setattr(stripes, 'slide_strips', begin)
    loader = large.loader_of(large.build_inference_pipeline(cfg))
    with network_input.LoadedRows(loader, write(tmp_path / 'a.tif')) as rows:
        view = large.find_view(model, cfg, 'a', rows.shape, PredictOptions('x'))
        for part in stripes.predict_parts(model, rows, view, 3, False):
            last = part.columns
    assert last[0] > 0


def test_the_next_rows_are_read_while_the_network_computes(tmp_path):
    cfg = make_config(SLIDE)
    model = make_model(cfg)
    loader = large.loader_of(large.build_inference_pipeline(cfg))
    with network_input.LoadedRows(loader, write(tmp_path / 'a.tif')) as rows:
        view = large.find_view(model, cfg, 'a', rows.shape, PredictOptions('x'))
        read = []

        class Noted(Watched):
            def read(self, top, bottom, left=0, right=None):
                read.append((top, bottom, threading.current_thread() is threading.main_thread()))
                return super().read(top, bottom, left, right)

        spans = [(0, 16), (11, 27), (45, 61)]
        with network_input.NetworkInput(Noted(rows), view, 3, torch.device('cpu'), (0, 97),
                                        spans) as source:
            for span in spans[:2]:
                source.window(span, (0, 12))
                source._reader.submit(int).result()  # after what was read before
        assert read == [(0, 16, False), (16, 27, False), (45, 61, False)]


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


@pytest.mark.parametrize(('how', 'least'), [
    (dict(test_cfg=SLIDE), 6 * 14 + 1), (dict(test_cfg=WHOLE, view=SHRINK), 1)])
def test_progress_counts_windows(tmp_path, monkeypatch, how, least):
    path, cfg = write(tmp_path / 'a.tif'), make_config(**how)
    bars = []

    class Bar(large.ProgressBar):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            bars.append(self)

    monkeypatch.setattr(large, 'ProgressBar', Bar)
    predict(cfg, make_model(cfg), path, tmp_path)
    assert bars[0].completed == bars[0].task_num >= least
