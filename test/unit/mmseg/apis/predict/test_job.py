"""A prediction of files: options, files that fail, and images that are unlike each other."""
import copy
import json
import logging
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis import inference_segmentor
from mmseg.apis.predict.job import predict_from_config
from mmseg.apis.predict.predictor import load_predictor
from mmseg.core import voc_colormap
from mmseg.core.evaluation import Prediction
from mmseg.models import EncoderDecoder
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.pipeline import build_inference_pipeline
from mmseg.prediction.stream import ImageReader, LargeImage, predict_stream

from ..small_model import SIZE

LOAD = dict(type='LoadImageFromFile')
GREY = dict(LOAD, color_type='grayscale')
BANDS = dict(LOAD, color_type='bands')


@pytest.fixture
def job(make, tmp_path):
    """Predicts the images of a small model; returns the folder of the results, and of failures."""
    def job(loader=LOAD, channels=3, images=None, change=lambda cfg: None, stdin=(), **options):
        cfg, checkpoint, files = make(loader, channels) if not made else made[0]
        made[:] = [(cfg, checkpoint, files)]
        change(cfg)
        out = tmp_path / 'out'
        options = PredictOptions(str(out), **options)
        failed = predict_from_config(copy.deepcopy(cfg), checkpoint, images or [
            str(tmp_path / 'img')], options, 'cpu', stdin=stdin)
        return out, failed

    made = []
    job.made = made
    return job


def records(out):
    text = (out / 'predictions.jsonl').read_text(encoding='utf-8')
    return [json.loads(line) for line in text.splitlines()]


def mask(out, name):
    with Image.open(out / f'masks/{name}.png') as image:
        return np.array(image)


def model_of(job):
    cfg, checkpoint, files = job.made[0]
    return load_predictor(cfg, checkpoint, 'cpu'), files


def test_masks_overlays_and_records_are_of_the_prediction(job):
    out, failed = job()
    model, files = model_of(job)
    assert failed == 0
    for number, (file, record) in enumerate(zip(files, records(out), strict=True)):
        seg_map = inference_segmentor(model, file)[0]
        np.testing.assert_array_equal(mask(out, number), seg_map)
        np.testing.assert_array_equal(
            cv2.imread(str(out / f'overlays/{number}.png')),
            model.module.show_result(file, [seg_map], palette=voc_colormap(3)))
        assert record['shares'] == {
            name: round(np.mean(seg_map == label), 6) for label, name in enumerate('abc')
            if (seg_map == label).any()}
        assert (record['height'], record['width']) == SIZE


def test_options_of_overlays(job, tmp_path):
    out, _ = job(opacity=1.0, legend=True)
    picture = cv2.imread(str(out / 'overlays/0.png'))
    assert picture.shape[1] > SIZE[1]
    colours = {tuple(colour) for colour in picture[:SIZE[0], :SIZE[1]].reshape(-1, 3).tolist()}
    assert len(colours) <= 3
    out, _ = job(BANDS, bands=[1])
    picture = cv2.imread(str(out / 'overlays/0.png')).astype(int)
    image = cv2.imread(str(tmp_path / 'img/0.png')).astype(int)
    light = np.where(mask(out, 0)[..., None] == 0, [[224]], voc_colormap(3)[mask(out, 0), ::-1])
    assert np.abs(picture - (image[..., 1:2] + light) / 2).max() <= 1  # green in grey


def test_scores_and_uncertain_pixels(job):
    out, _ = job(scores='probabilities', threshold=0.5, legend=True)
    model, files = model_of(job)
    some = False
    for number, record in enumerate(records(out)):
        with np.load(out / f'scores/{number}.npz') as stored:
            probabilities = stored['probabilities'].astype(np.float32)
            assert stored['classes'].tolist() == ['a', 'b', 'c']
        pixels = (cv2.imread(files[number]).astype(np.float32) - 120) / 60
        with torch.no_grad():
            logits = model.module.forward_dummy(
                torch.from_numpy(pixels.transpose(2, 0, 1))[None])
        expected = logits.softmax(1)[0].numpy()
        np.testing.assert_allclose(probabilities, expected, atol=1e-3)
        uncertain = expected.max(0) < 0.5
        some |= uncertain.any()
        painted = model.module.show_result(files[number], [mask(out, number)], legend=True,
                                           palette=voc_colormap(3), ignore_index=255)
        np.testing.assert_array_equal(cv2.imread(str(out / f'overlays/{number}.png')), painted)
        with Image.open(out / f'masks/{number}.png') as stored:
            assert stored.getpalette()[3 * 255:] == [224, 224, 192]
        np.testing.assert_array_equal(mask(out, number),
                                      np.where(uncertain, 255, expected.argmax(0)))
        assert record['uncertain'] == pytest.approx(uncertain.mean(), abs=1e-6)
        assert sum(record['shares'].values()) == pytest.approx(1 - uncertain.mean(), abs=1e-5)
    assert some


def test_images_of_many_sizes_in_batches(job, tmp_path, caplog):
    """As one by one, in the order of the files, and no more at a time than asked for."""
    rng = np.random.default_rng(0)
    (tmp_path / 'sizes').mkdir()
    for number in range(14):
        size = ((24, 30), (30, 24), (17, 40))[rng.integers(3)]
        cv2.imwrite(str(tmp_path / f'sizes/{number:02d}.png'),
                    cv2.resize(rng.random((4, 5, 3)) * 240, size))
    images = [str(tmp_path / 'sizes')]
    single, _ = job(images=images)
    expected = {record['name']: mask(single, record['name'][:-4]) for record in records(single)}
    assert len(expected) == 14
    seen = []

    class Counting(EncoderDecoder):
        def simple_test(self, img, img_meta, rescale=True, scores=None):
            seen.append(len(img))
            return super().simple_test(img, img_meta, rescale, scores)

    out, _ = job(images=images, batch=3, change=lambda cfg: cfg.model.update(type=Counting))
    assert [record['name'] for record in records(out)] == sorted(expected)
    for name, seg_map in expected.items():
        np.testing.assert_array_equal(mask(out, name[:-4]), seg_map)
    assert (max(seen), sum(seen)) == (3, 14)
    seen.clear()
    job(images=images, change=lambda cfg: cfg.data.update(test_dataloader=dict(samples_per_gpu=2)))
    assert max(seen) == 2  # as the test command does


def test_what_fails_does_not_keep_the_rest(job, tmp_path, caplog):
    job()
    (tmp_path / 'img/1.png').write_text('no image')
    (tmp_path / 'img/sub').mkdir()
    (tmp_path / 'img/sub/half.png').write_bytes((tmp_path / 'img/0.png').read_bytes()[:60])
    with caplog.at_level(logging.INFO, 'mmseg'):
        logging.getLogger('mmseg').propagate = True
        out, failed = job(images=[str(tmp_path / 'img'), 'none.png'])
    assert failed == 3
    assert [record['name'] for record in records(out)] == ['0.png', '2.png']
    assert 'none.png: it does not exist' in caplog.text
    assert 'half.png: the file is truncated' in caplog.text
    assert caplog.text.rstrip().endswith(
        '3 without a prediction:\n  none.png\n  1.png\n  sub/half.png')
    assert 'images: 2 in ' in caplog.text


def test_going_on_needs_the_same_model_and_options(job):
    out, _ = job()
    described = json.loads((out / 'predicted_by.json').read_text(encoding='utf-8'))
    assert described['checkpoint'] == job.made[0][1]
    assert described['ema'] is False
    with pytest.raises(ConfigError, match='--tta not given then and given now'):
        job(skip_existing=True, tta=True)
    assert len(records(out)) == 3
    assert job(skip_existing=True)[1] == 0
    job(threshold=0.5)  # replaces
    assert json.loads((out / 'predicted_by.json').read_text())['threshold'] == 0.5
    with pytest.raises(ConfigError, match='--threshold 0.5 then and not given now'):
        job(skip_existing=True)


def test_an_image_that_the_pipeline_shrinks_is_told_once(job, tmp_path, caplog):
    job()
    (tmp_path / 'large').mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / f'large/{number}.png'), np.zeros((99, 300, 3), np.uint8))
    with caplog.at_level(logging.INFO, 'mmseg'):
        logging.getLogger('mmseg').propagate = True
        job(images=[str(tmp_path / 'img'), str(tmp_path / 'large')])
    assert caplog.text.count('the test pipeline shrinks') == 1
    assert '0.png, and maybe others: the test pipeline shrinks 300 x 99 pixels to 30 x 10; if' in (
        caplog.text)
    caplog.clear()
    with caplog.at_level(logging.INFO, 'mmseg'):
        job(images=[str(tmp_path / 'large')], scale=0.1)
    assert 'shrinks' not in caplog.text


def test_mistakes_are_told_before_the_model_is_loaded(job, tmp_path):
    job()
    cfg, _, files = job.made[0]
    with pytest.raises(DataError, match='none: it does not exist'):
        predict_from_config(cfg, 'no_checkpoint.pth', ['none'], PredictOptions('out'))
    with pytest.raises(ConfigError, match='is a file: name a folder'):
        predict_from_config(cfg, 'no_checkpoint.pth', files, PredictOptions(files[0]))


def test_an_image_for_which_the_memory_does_not_suffice(job, monkeypatch):
    """A batch that is too large is predicted one by one; an image that is, has failed."""
    whole = EncoderDecoder.whole_inference

    def limited(self, img, img_meta, rescale):
        if len(img) > 1 or img.mean() < limit:
            torch.empty(2**60)
        return whole(self, img, img_meta, rescale)

    job()
    files = job.made[0][2]
    darkest = min(files, key=lambda file: cv2.imread(file).mean())
    limit = np.mean(sorted((cv2.imread(file).mean() - 120) / 60 for file in files)[:2])
    monkeypatch.setattr(EncoderDecoder, 'whole_inference', limited)
    out, failed = job(batch=3)
    assert failed == 1
    assert {f'{out.parent}/img/{record["name"]}' for record in records(out)} == (
        {*files} - {darkest})


def test_images_of_channels_that_the_model_does_not_take(job, tmp_path, caplog):
    """The rest goes on."""
    job(BANDS, 1)
    (tmp_path / 'mixed').mkdir()
    for number, shape in enumerate([SIZE, (*SIZE, 3), SIZE]):
        cv2.imwrite(str(tmp_path / f'mixed/{number}.png'), np.full(shape, 99, np.uint8))
    with caplog.at_level(logging.INFO, 'mmseg'):
        logging.getLogger('mmseg').propagate = True
        out, failed = job(images=[str(tmp_path / 'mixed')])
    assert failed == 1
    assert '1.png: ResNetV1c: in_channels=1, but the images have 3 channels' in caplog.text
    assert [record['name'] for record in records(out)] == ['0.png', '2.png']


def test_other_errors_name_the_image(job):
    class Faulty(EncoderDecoder):
        def encode_decode(self, img, img_metas):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as error:
        job(change=lambda cfg: cfg.model.update(type=Faulty))
    assert any(note.startswith('while predicting ') and note.endswith('img/0.png')
               for note in error.value.__notes__)


@pytest.fixture
def clip(tmp_path):
    """A video of the small images' size, and its frames."""
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, SIZE[::-1])
    rng = np.random.default_rng(1)
    for _ in range(5):
        coarse = (rng.random((4, 5, 3)) * 240).astype(np.uint8)
        writer.write(cv2.resize(coarse, SIZE[::-1]))
    writer.release()
    capture = cv2.VideoCapture(str(path))
    return str(path), [capture.read()[1] for _ in range(5)]


@pytest.mark.parametrize(('loader', 'channels'), [(LOAD, 3), (GREY, 1), (BANDS, 3)])
def test_a_video_is_predicted_frame_by_frame(job, clip, loader, channels, caplog):
    path, frames = clip
    with caplog.at_level(logging.INFO, 'mmseg'):
        logging.getLogger('mmseg').propagate = True
        out, failed = job(loader, channels, images=[path], frame_masks=True, legend=True,
                          video_format='avi')
    assert failed == 0
    assert 'painted videos have no sound' in caplog.text
    model, _ = model_of(job)
    capture = cv2.VideoCapture(str(out / 'overlays/clip.avi'))
    for number, frame in enumerate(frames):
        # With bands in the order of files an array is red, green, blue.
        given = np.ascontiguousarray(frame[..., ::-1]) if loader is BANDS else frame
        seg_map = inference_segmentor(model, given)[0]
        np.testing.assert_array_equal(mask(out, f'clip/{number:06d}'), seg_map)
        painted = capture.read()[1][:, :SIZE[1]]
        shown = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if loader is GREY else given
        expected = model.module.show_result(shown, [seg_map], palette=voc_colormap(3))
        assert np.abs(painted.astype(int) - expected).mean() < 12
    assert capture.read()[0] is False
    assert [(record['frame'], record['time']) for record in records(out)] == [
        (number, number / 10) for number in range(5)]


def test_a_painted_video_has_room_for_every_entry_of_the_legend(job, clip):
    path, frames = clip
    out, _ = job(images=[path], legend=True, threshold=1.0)
    model, _ = model_of(job)
    expected = model.module.show_result(frames[0], [np.full(SIZE, 255)], legend=True,
                                        ignore_index=255)
    assert cv2.VideoCapture(str(out / 'overlays/clip.webm')).read()[1].shape[1] in (
        expected.shape[1], expected.shape[1] + 1)


def test_a_video_that_the_model_cannot_take_fails_once(job, clip, tmp_path):
    path, _ = clip
    two = dict(LOAD, color_type='bands', channels=1)
    out, failed = job(two, 1, images=[path, str(tmp_path / 'img/0.png')])
    assert failed == 1
    assert [record['name'] for record in records(out)] == ['0.png']
    assert not (out / 'overlays/clip.webm').exists()


@pytest.mark.parametrize(('classes', 'head', 'names'), [
    (1, dict(num_classes=2, out_channels=1, threshold=0.5), ['no', 'yes']),
    (171, dict(num_classes=171), None), (300, dict(num_classes=300), None)])
def test_models_of_few_and_of_many_classes(make, tmp_path, classes, head, names):
    cfg, checkpoint, files = make(LOAD, 3)
    cfg.model.decode_head.update(head)
    if classes == 1:
        cfg.model.decode_head.loss_decode = dict(type='CrossEntropyLoss', use_sigmoid=True)
    cfg.data.test.classes = names
    if names is None:
        del cfg.data.test['classes']
    cfg.match_weights = False
    options = PredictOptions(str(tmp_path / 'out'), legend=True, scores='confidence', threshold=.02)
    assert predict_from_config(cfg, checkpoint, files, options, 'cpu') == 0
    out = tmp_path / 'out'
    for number, record in enumerate(records(out)):
        labels = set(np.unique(mask(out, number)).tolist()) - {65535 if classes > 255 else 255}
        assert set(record['shares']) == {
            names[label] if names else str(label) for label in labels}
        with np.load(out / f'scores/{number}.npz') as stored:
            assert len(stored['classes']) == max(classes, 2)
    assert mask(out, 0).dtype == (np.uint8 if classes < 256 else np.uint16)


def test_large_images_are_set_aside(make):
    cfg, _, files = make(LOAD, 3)
    reader = ImageReader(partial(build_inference_pipeline, cfg),
                         is_large=lambda image: image == files[1])
    aside = []
    found = predict_stream(lambda batch: [(np.zeros(SIZE, np.uint8), None)], reader,
                           enumerate(files), on_error=lambda *failed: aside.append(failed))
    assert [each.index for each in found if isinstance(each, Prediction)] == [0, 2]
    (index, error), = aside
    assert index == 1
    assert isinstance(error, LargeImage)
