"""A Segmenter and its results: the pixels of the test command, names, pictures."""
import pickle
import sys
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageShow

from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError, MissingDataError
from mmseg.apis import OutputOptions, Process, Segmenter, evaluate_from_config, init_segmentor

from ..small_model import SIZE

LOAD = dict(type='LoadImageFromFile')
PALETTE = [[10, 20, 30], [200, 100, 50], [0, 255, 0]]


@pytest.fixture
def saved(make):
    """A checkpoint with its config, names and colours, and images."""
    cfg, checkpoint, files = make(LOAD, 3)
    stored = torch.load(checkpoint)
    stored['meta'] = dict(config=cfg.pretty_text, CLASSES=['a', 'b', '车'], PALETTE=PALETTE)
    torch.save(stored, checkpoint)
    return cfg, checkpoint, files


def test_the_pixels_are_those_of_the_test_command(saved, tmp_path):
    cfg, checkpoint, files = saved
    segmenter = Segmenter.from_checkpoint(checkpoint, 'cpu')
    cfg.data.test.classes = ['a', 'b', '车']
    evaluate_from_config(cfg, checkpoint, Process(torch.device('cpu')),
                         OutputOptions(out=str(tmp_path / 'out.pkl')))
    expected = pickle.loads((tmp_path / 'out.pkl').read_bytes())
    for batch in (1, 3):
        found = segmenter.predict(files, batch=batch)
        np.testing.assert_array_equal([result.seg_map for result in found], expected)
    np.testing.assert_array_equal(segmenter.predict(files[1]).seg_map, expected[1])
    np.testing.assert_array_equal(segmenter.predict(cv2.imread(files[2])).seg_map, expected[2])
    cfg.data.test.classes = ['a', 'b', 'c']
    by_config = Segmenter(init_segmentor(cfg, checkpoint, 'cpu')).predict(files)
    np.testing.assert_array_equal([result.seg_map for result in by_config], expected)


def test_what_a_result_tells(saved):
    _, checkpoint, files = saved
    segmenter = Segmenter.from_checkpoint(checkpoint, 'cpu')
    assert tuple(segmenter.names) == ('a', 'b', '车')
    assert segmenter.palette.tolist() == PALETTE
    result = segmenter.predict(files[0], scores='probabilities')
    np.testing.assert_allclose(result.scores.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(result.scores.argmax(0), result.seg_map)
    assert result.shares == {name: round(np.mean(result.seg_map == label), 6)
                             for label, name in enumerate(segmenter.names)
                             if (result.seg_map == label).any()}
    assert (result.path, segmenter.predict(cv2.imread(files[0])).path) == (files[0], None)
    most = max(result.shares, key=result.shares.get)
    assert repr(result).startswith(f'Segmentation(30 x 24: {most} {result.shares[most]:.1%}')
    assert segmenter.predict(files[0]).scores is None


def test_pictures_and_files(saved, tmp_path):
    _, checkpoint, files = saved
    segmenter = Segmenter.from_checkpoint(checkpoint, 'cpu')
    for image in (files[0], cv2.imread(files[0])):
        result = segmenter.predict(image)
        expected = segmenter.model.module.show_result(files[0], [result.seg_map], opacity=0.3)
        np.testing.assert_array_equal(
            result.overlay(0.3, out_file=tmp_path / 'sub/painted.png'), expected)
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'sub/painted.png')), expected)
        assert result.overlay(legend=True).shape[1] > SIZE[1]
        result.save(tmp_path / 'mask.png')
        with Image.open(tmp_path / 'mask.png') as mask:
            np.testing.assert_array_equal(np.array(mask), result.seg_map)
            assert mask.getpalette()[:9] == np.ravel(PALETTE).tolist()
    blue = cv2.imread(files[0]).astype(int)[..., :1]  # the first band of the file is shown
    shown = result.overlay(1e-9, bands=[0]).astype(int)
    assert np.abs(shown - blue).max() <= 1
    with pytest.raises(DataError, match=r'mask\.jpg: a label map is written as \.png'):
        result.save(tmp_path / 'mask.jpg')
    with pytest.raises(DataError, match='hold no coloured picture'):
        result.overlay(out_file=tmp_path / 'painted.pgm')


def test_a_result_shows_itself(saved, monkeypatch):
    _, checkpoint, files = saved
    result = Segmenter.from_checkpoint(checkpoint, 'cpu').predict(files[0])
    expected = result.overlay(legend=True)

    def decoded(png):
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)

    np.testing.assert_array_equal(decoded(result._repr_png_()), expected)
    shown = []
    monkeypatch.setattr(ImageShow, 'show', lambda image, title: bool(shown) and shown.append(image))
    with pytest.raises(ConfigError, match='no program here that shows pictures: write'):
        result.show()
    monkeypatch.setattr(ImageShow, 'show', lambda image, title: not shown.append(image))
    result.show()
    np.testing.assert_array_equal(np.array(shown[0])[..., ::-1], expected)

    # In a notebook, by the names that IPython has.
    display = ModuleType('IPython.display')
    display.Image, display.display = (lambda data: data), shown.append
    ipython = ModuleType('IPython')
    ipython.get_ipython = lambda: SimpleNamespace(kernel='a notebook')
    monkeypatch.setitem(sys.modules, 'IPython', ipython)
    monkeypatch.setitem(sys.modules, 'IPython.display', display)
    result.show(opacity=0.2, legend=False)
    np.testing.assert_array_equal(decoded(shown[1]), result.overlay(0.2))
    ipython.get_ipython = lambda: SimpleNamespace()  # IPython in a terminal
    result.show()
    assert isinstance(shown[2], Image.Image)


def test_averaged_weights_and_options(saved, tmp_path):
    cfg, checkpoint, files = saved
    stored = torch.load(checkpoint)
    stored['ema_state_dict'] = {key: value + 1 if key.endswith('conv_seg.weight') else value
                                for key, value in stored['state_dict'].items()}
    torch.save(stored, checkpoint)
    plain, averaged = (Segmenter.from_checkpoint(checkpoint, 'cpu', averaged=averaged)
                       for averaged in (False, True))
    weights = [next(value for key, value in segmenter.model.state_dict().items()
                    if key.endswith('conv_seg.weight')) for segmenter in (plain, averaged)]
    torch.testing.assert_close(weights[1], weights[0] + 1)
    changed = Segmenter.from_checkpoint(checkpoint, 'cpu', cfg_options={'x': 1})
    assert changed.model.module.cfg.x == 1


def test_a_config_beside_the_checkpoint(saved, tmp_path):
    cfg, checkpoint, files = saved
    stored = torch.load(checkpoint)
    torch.save(dict(meta={}, state_dict=stored['state_dict']), checkpoint)
    cfg.dump(tmp_path / 'config.py')
    with pytest.raises(ConfigError, match='has no config in it'):
        Segmenter.from_checkpoint(checkpoint)
    segmenter = Segmenter.from_checkpoint(checkpoint, 'cpu', config=tmp_path / 'config.py')
    assert tuple(segmenter.names) == ('a', 'b', 'c')


def test_what_is_no_image_is_told(saved):
    _, checkpoint, files = saved
    segmenter = Segmenter.from_checkpoint(checkpoint, 'cpu')
    for image in (Image.open(files[0]), b'GIF', None, torch.zeros(3, 4, 4)):
        with pytest.raises(ArgumentError, match=r'an image is a file name or a BGR array'):
            segmenter.predict(image)
    with pytest.raises(MissingDataError, match=r'^cannot read none\.jpg: No such file or dir.*y$'):
        segmenter.predict('none.jpg')
    assert len(segmenter.predict(iter(files))) == len(segmenter.predict(tuple(files))) == len(files)


def test_batches_of_less_than_one(saved):
    _, checkpoint, files = saved
    with pytest.raises(ConfigError, match='batch=0: the number of images'):
        Segmenter.from_checkpoint(checkpoint, 'cpu').predict(files, batch=0)
