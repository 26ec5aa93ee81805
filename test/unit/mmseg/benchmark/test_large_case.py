"""The benchmark of a large image: its file, its config, and the case that predicts it."""
import numpy as np
import pytest
from PIL import Image

from mmseg.apis import init_segmentor, load_config
from mmseg.apis.inference import inference_segmentor
from mmseg.benchmark import large
from mmseg.prediction import stripes

SIZE = (150, 170)


@pytest.fixture
def section(parse, tmp_path):
    """A comparison on a small image, by small windows."""
    found, = large.plan(parse('large', '--size', *SIZE, '--crop', 64, 64, '--stride', 40, 48,
                              '--device', 'cpu'), tmp_path)
    return found


def test_all_subjects_see_the_image_in_its_size_by_windows(section):
    cfg = load_config(section.options['config'])
    assert cfg.model.test_cfg == dict(mode='slide', crop_size=(64, 64), stride=(40, 48))
    view, = (step for step in cfg.data.test.pipeline if step['type'] == 'MultiScaleFlipAug')
    assert (view.img_scale, view.img_ratios, view.flip) == (None, [1.0], False)
    with Image.open(section.options['file']) as img:
        assert img.size == SIZE[::-1]
        assert len(np.unique(np.array(img))) > 99


def test_the_case_predicts_it_in_parts(section, monkeypatch):
    parts, released = [], []
    monkeypatch.setattr(stripes, 'ROWS_AT_ONCE', 40)
    monkeypatch.setattr(stripes, 'release_freed_memory', lambda: released.append(1))
    predict_parts = stripes.predict_parts
    monkeypatch.setattr('mmseg.prediction.large.predict_parts', lambda *args: (
        parts.append(part) or part for part in predict_parts(*args)))
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', SIZE[0] * SIZE[1] // 3)  # which is no limit here
    case = large.LargeCase(**section.options)
    found = case.check()['labels']
    assert len(parts) > 1
    assert released  # after each strip of windows
    model = init_segmentor(section.options['config'], section.options['checkpoint'], 'cpu')
    expected, = inference_segmentor(model, section.options['file'])
    assert found.shape == SIZE
    assert (found == expected).mean() > 0.999
    assert case.round() > 0


def test_without_tifffile_it_is_a_png(tmp_path, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, 'tifffile', None)
    assert large.write_image(tmp_path, (70, 90)).endswith('.png')
