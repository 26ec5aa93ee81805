"""Prediction from Python: the pixels of the test command, and a model that comes back as it was."""
import os
import pickle

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmcv_replace.fileio import FileClient, HardDiskBackend
from mmcv_replace.image import imread
from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import precision_from_config
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmseg.apis import (
    OutputOptions,
    Process,
    evaluate_from_config,
    inference_segmentor,
    init_segmentor,
    show_result_pyplot,
)
from mmseg.apis.inference import LoadImage, predict_images
from mmseg.apis.predict.job import predict_from_config
from mmseg.core.evaluation import CollectSegMaps, WriteOverlays, run_sinks
from mmseg.datasets.pipelines import LoadImageFromFile
from mmseg.datasets.pipelines.loading import describe_image
from mmseg.models import EncoderDecoder
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.pipeline import build_inference_pipeline

from .small_model import SIZE

CPU = Process(torch.device('cpu'))


class LoadBands:
    """A loader of a user: bands in a .npy file."""

    def __call__(self, results):
        name = results['img_info']['filename']
        path = os.path.join(results['img_prefix'], name)
        results.update(filename=path, ori_filename=name, **describe_image(np.load(path)))
        return results


LOAD = dict(type='LoadImageFromFile')
GREY = dict(LOAD, color_type='grayscale')
STORED = dict(LOAD, color_type='unchanged')


@pytest.mark.parametrize(('loader', 'channels', 'options', 'flag'), [
    (LOAD, 3, {}, cv2.IMREAD_COLOR),
    (dict(LOAD, to_float32=True, imdecode_backend='pillow'), 3, {}, cv2.IMREAD_COLOR),
    (LOAD, 3, dict(stored=1), cv2.IMREAD_GRAYSCALE),
    (LOAD, 3, dict(stored=4), cv2.IMREAD_UNCHANGED),
    (GREY, 1, dict(stored=1), cv2.IMREAD_GRAYSCALE),
    (GREY, 1, dict(stored=1), cv2.IMREAD_COLOR),
    (GREY, 1, dict(stored=3), cv2.IMREAD_GRAYSCALE),
    (dict(GREY, to_float32=True), 1, dict(stored=1), cv2.IMREAD_GRAYSCALE),
    (STORED, 1, dict(stored=1, dtype=np.uint16, scale=9000.0), cv2.IMREAD_UNCHANGED),
    (dict(STORED, to_float32=True), 3, dict(dtype=np.uint16, scale=9000.0), cv2.IMREAD_UNCHANGED),
    (STORED, 4, {}, cv2.IMREAD_UNCHANGED),
    (STORED, 1, dict(stored=1, dtype=np.float32, suffix='.tiff', scale=0.5), cv2.IMREAD_UNCHANGED),
    (LoadBands(), 2, dict(suffix='.npy'), None),
    (LoadBands(), 6, dict(suffix='.npy', dtype=np.float32, scale=3.0), None)])
def test_files_and_arrays_are_seen_as_the_test_command_sees_them(make, tmp_path, loader, channels,
                                                                 options, flag):
    cfg, checkpoint, files = make(loader, channels, **options)
    evaluate_from_config(cfg, checkpoint, CPU, OutputOptions(
        out=str(tmp_path / 'out.pkl'), show_dir=str(tmp_path / 'painted'), opacity=0.01))
    expected = pickle.loads((tmp_path / 'out.pkl').read_bytes())
    assert len(np.unique(expected)) > 1
    model = init_segmentor(cfg, checkpoint, 'cpu')
    arrays = [np.load(file) if flag is None else cv2.imread(file, flag) for file in files]
    np.testing.assert_array_equal(inference_segmentor(model, files), expected)
    np.testing.assert_array_equal(inference_segmentor(model, arrays), expected)
    np.testing.assert_array_equal(inference_segmentor(model, files[1]), expected[1:2])
    predict_from_config(cfg, checkpoint, [str(tmp_path / 'img')],
                        PredictOptions(out=str(tmp_path / 'predicted')), 'cpu')
    np.testing.assert_array_equal(
        [np.array(Image.open(tmp_path / f'predicted/masks/{number}.png')) for number in range(3)],
        expected)
    for array, file in zip(arrays, files, strict=True):
        name = f'{file.rpartition("/")[2]}{".png" if flag is None else ""}'
        picture = cv2.imread(str(tmp_path / 'painted' / name))
        assert picture.shape == (*SIZE, 3)
        # The faintly painted picture looks like the first channel: as bright where that is.
        first = array.reshape(*SIZE, -1)[..., 0].astype(float)
        assert np.corrcoef(picture[..., 0].ravel(), first.ravel())[0, 1] > 0.98
        assert picture.std() > 10


def test_files_come_from_where_the_config_says(make, monkeypatch):
    class Vault(HardDiskBackend):
        def get(self, filepath):
            return super().get(filepath.removeprefix('vault:'))

    monkeypatch.setitem(FileClient.backends, 'vault', Vault)
    cfg, checkpoint, files = make(LOAD, 3)
    expected = inference_segmentor(init_segmentor(cfg, checkpoint, 'cpu'), files)
    cfg.data.test.pipeline[0].file_client_args = dict(backend='vault')
    found = inference_segmentor(init_segmentor(cfg, checkpoint, 'cpu'),
                                [f'vault:{file}' for file in files])
    np.testing.assert_array_equal(found, expected)


def test_a_loader_of_the_users_own_may_stand_behind_other_steps():
    seen = []
    cfg = dict(test_pipeline=[lambda results: seen.append('first') or results, GREY])
    pipeline = build_inference_pipeline(cfg)
    results = pipeline(dict(img=np.zeros((4, 5, 3), np.uint8)))
    assert seen == ['first']
    assert results['img'].shape == (4, 5)


@pytest.mark.parametrize('data', [
    dict(test=dict(pipeline=[GREY]), val=dict(pipeline=[LOAD])),
    dict(test=[dict(pipeline=[GREY]), dict(pipeline=[LOAD])]),
    dict(test=dict(type='RepeatDataset', times=2, dataset=dict(pipeline=[GREY]))),
    dict(test=dict(type='ConcatDataset', datasets=[dict(pipeline=[GREY])])),
    dict(val=dict(pipeline=[GREY]))])
def test_where_the_pipeline_is_found(data):
    loader = build_inference_pipeline(Config(dict(data=data))).transforms[0].loader
    assert loader.color_type == 'grayscale'


def test_there_may_be_no_pipeline():
    model = nn.Linear(1, 1)
    with pytest.raises(ConfigError, match=r'make it with init_segmentor.*or set model\.cfg'):
        inference_segmentor(model, 'x.png')
    model.cfg = Config(dict(data=dict(train=dict(pipeline=[LOAD]))))
    with pytest.raises(ConfigError, match=r'no pipeline .* give it data\.test\.pipeline or test_p'):
        inference_segmentor(model, 'x.png')


@pytest.mark.parametrize(('loader', 'array', 'message'), [
    (LOAD, np.zeros((4, 5, 3), np.uint16), "holds uint16, but with color_type='color'"),
    (GREY, np.zeros((4, 5), np.int32), "holds int32, but with color_type='grayscale'"),
    (LOAD, np.zeros((4, 5, 2), np.uint8), 'has 2 channels, but .* files have 3'),
    (GREY, np.zeros((4, 5, 6), np.uint8), 'has 6 channels, but .* files have 1'),
    (STORED, np.zeros((2, 4, 5, 3), np.uint8), r'an array \[2, 4, 5, 3\] is no image'),
    (STORED, np.zeros((0, 5), np.uint8), r'an array \[0, 5\] is no image')])
def test_arrays_that_no_file_would_give(loader, array, message):
    with pytest.raises(DataError, match=message):
        LoadImage(LoadImageFromFile(**{k: v for k, v in loader.items() if k != 'type'}))(
            dict(img=array))


def test_a_dropped_image_is_named(make):
    cfg, checkpoint, files = make(LOAD, 3)
    cfg.data.test.pipeline.append(lambda results: None)
    with pytest.raises(DataError, match=r'0\.png: the test pipeline has dropped'):
        inference_segmentor(init_segmentor(cfg, None, 'cpu'), files)


def test_predictions_of_files_and_arrays_feed_sinks(make, tmp_path):
    """Without a data set or a runner: overlays, maps and the softmax of the logits."""
    cfg, checkpoint, files = make(LOAD, 3)
    model = init_segmentor(cfg, checkpoint, 'cpu')
    images = [files[0], cv2.imread(files[1]), files[2]]
    expected = inference_segmentor(model, files)
    predictions = list(predict_images(model, images, scores='probabilities'))
    collect = CollectSegMaps()
    run_sinks(predictions, [collect, WriteOverlays(
        model, tmp_path / 'out', opacity=0.3, file_name=lambda prediction: f'{prediction.index}')])
    assert [prediction.path for prediction in predictions] == [files[0], None, files[2]]
    for index, (prediction, file) in enumerate(zip(predictions, files, strict=True)):
        np.testing.assert_array_equal(collect.results[index][1], expected[index])
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / f'out/{index}.png')),
                                      model.show_result(file, expected[index], opacity=0.3))
        pixels = (cv2.imread(file).astype(np.float32) - 120) / 60
        with torch.no_grad():
            logits = model.forward_dummy(torch.from_numpy(pixels.transpose(2, 0, 1))[None])
        np.testing.assert_allclose(prediction.scores, logits.softmax(1)[0].numpy(), atol=1e-6)


# ------------------------------------------------------------------ a model in training


class Remembering(EncoderDecoder):
    """Keeps a tensor of its first pass, and uses it ever after."""

    kept = None

    def encode_decode(self, img, img_metas):
        logits = super().encode_decode(img, img_metas)
        if self.kept is None:
            self.kept = torch.ones_like(logits[:1])
        return logits * self.kept

    def forward_train(self, img, img_metas, gt_semantic_seg):
        logits = super().encode_decode(img, img_metas)
        return dict(loss=(logits * self.kept).square().mean())


@pytest.mark.parametrize('wrapped', [False, True])
def test_a_model_in_training_predicts_as_one_in_evaluation(make, wrapped):
    cfg, checkpoint, files = make(LOAD, 3)
    expected = inference_segmentor(init_segmentor(cfg, checkpoint, 'cpu'), files)
    cfg.model.type = Remembering
    model = init_segmentor(cfg, checkpoint, 'cpu').train()
    model.backbone.layer1[0].bn1.eval()  # frozen by hand
    modes = {name: module.training for name, module in model.named_modules()}
    state = {name: value.clone() for name, value in model.state_dict().items()}
    outer = MMDataParallel(model) if wrapped else model
    found = inference_segmentor(outer, files)
    np.testing.assert_array_equal(found, expected)
    assert {name: module.training for name, module in model.named_modules()} == modes
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    batch = dict(img=torch.randn(2, 3, *SIZE), img_metas=[{}, {}], gt_semantic_seg=None)
    outer.train_step(batch, None)['loss'].backward()
    assert model.decode_head.conv_seg.weight.grad.abs().sum() > 0


def test_weights_of_low_precision_predict_as_in_their_training(make):
    cfg, checkpoint, files = make(LOAD, 3)
    cfg.bf16 = dict(opt_level='O2')
    model = init_segmentor(cfg, checkpoint, 'cpu')
    precision = precision_from_config(cfg, 'cpu')
    precision.cast(model)
    expected = inference_segmentor(MMDataParallel(model, autocast=precision.autocast), files)
    np.testing.assert_array_equal(inference_segmentor(model, files), expected)


def test_the_mode_comes_back_after_an_error_too(make):
    cfg, _, _ = make(LOAD, 3)
    model = init_segmentor(cfg, None, 'cpu').train()
    with pytest.raises(DataError, match=r'missing\.png'):
        inference_segmentor(model, 'missing.png')
    assert all(module.training for module in model.modules())


def test_two_streams_of_a_model_in_training(make):
    cfg, checkpoint, files = make(LOAD, 3)
    expected = inference_segmentor(init_segmentor(cfg, checkpoint, 'cpu'), files)
    model = init_segmentor(cfg, checkpoint, 'cpu').train()
    first, second = predict_images(model, files[:2]), predict_images(model, files)
    found = [next(first), next(second)]
    assert all(module.training for module in model.modules())
    found += [*first, *second]  # the first one ends while the second goes on
    by_place = [expected[place] for place in (0, 0, 1, *range(1, len(files)))]
    np.testing.assert_array_equal([prediction.seg_map for prediction in found], by_place)
    assert all(module.training for module in model.modules())


def test_a_wrapped_model_is_painted_too(make, tmp_path):
    cfg, checkpoint, files = make(GREY, 1)
    model = MMDataParallel(init_segmentor(cfg, checkpoint, 'cpu'))
    painted = show_result_pyplot(model, files[0], inference_segmentor(model, files[0]),
                                 out_file=str(tmp_path / 'x.png'))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'x.png')), painted)


@pytest.mark.parametrize(('make', 'told'), [
    (lambda array: Image.fromarray(array), r"not PIL\.Image\.Image; np\.array\(image\.convert"),
    (lambda array: torch.from_numpy(array), r'not torch\.Tensor; a tensor \[3, H, W\] of red'),
    (lambda array: b'GIF', r'not builtins\.bytes; .*imfrombytes'),
    (lambda array: None, r'not builtins\.NoneType$'),
    (lambda array: dict(img=array), r'not builtins\.dict$'),
])
def test_what_is_no_image_is_told_with_the_remedy(make, told):
    loader = LoadImage()
    array = np.zeros((4, 5, 3), np.uint8)
    what = r'an image is a file name or a BGR array \[H, W, 3\] \(grey: \[H, W\]\), '
    with pytest.raises(ArgumentError, match=what + told):
        loader(dict(img=make(array)))
    with pytest.raises(ArgumentError, match=what + told):  # which show_result reads by
        imread(make(array))


def test_the_remedies_make_images():
    """Of one red pixel."""
    array = np.zeros((1, 2, 3), np.uint8)
    array[0, 0, 2] = 255
    image = Image.fromarray(array[..., ::-1])
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    for made in (np.array(image.convert('RGB'))[..., ::-1],
                 tensor.permute(1, 2, 0).byte().cpu().numpy()[..., ::-1]):
        assert np.array_equal(made, array)
        assert np.array_equal(LoadImage()(dict(img=made))['img'], array)


@pytest.mark.parametrize(('scale', 'told'), [(1.0, True), (255.0, False), (0.0, False)])
def test_values_of_0_to_1_are_told(caplog, monkeypatch, scale, told):
    monkeypatch.setattr('mmcv_replace.utils.logging._warned', set())
    image = np.linspace(0, scale, 60, dtype=np.float32).reshape(4, 5, 3)
    assert LoadImage()(dict(img=image))['img'].dtype == np.float32
    assert ('multiply values of 0 to 1 by 255' in caplog.text) == told
