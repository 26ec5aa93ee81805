"""What the name of a model stands for, and options that change how it predicts."""
import pytest
import torch

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, ConfigError, MissingCheckpointError
from mmseg.apis.predict.predictor import find_predictor, load_predictor, saved_config
from mmseg.datasets import CustomDataset
from mmseg.prediction.config_options import apply_options
from mmseg.prediction.options import PredictOptions

LOAD = dict(type='LoadImageFromFile')
# As mmsegmentation 0.x has written it, by yapf.
TEXT = '''norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    pretrained='open-mmlab://resnet50_v1c',
    test_cfg=dict(mode='whole'))
data = dict(
    samples_per_gpu=4,
    test=dict(
        type='PascalVOCDataset',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='MultiScaleFlipAug', img_scale=(2048, 512), flip=False)
        ]))
dist_params = dict(backend='nccl')
gpu_ids = range(0, 1)
'''


@pytest.fixture
def save(tmp_path):
    def save(**meta):
        torch.save(dict(meta=meta, state_dict={}), tmp_path / 'x.pth')
        return str(tmp_path / 'x.pth')
    return save


def test_a_checkpoint_carries_its_config(save):
    file = save(config=TEXT.replace('range(0, 1)', '[0]'))
    cfg, checkpoint = find_predictor(file, options={'model.test_cfg.mode': 'slide'})
    assert checkpoint == file
    assert cfg.data.test.pipeline[1].img_scale == (2048, 512)
    assert cfg.model.test_cfg.mode == 'slide'


def test_a_range_in_an_old_config(save):
    """mmsegmentation 0.x keeps gpu_ids = range(...), which is a call."""
    assert saved_config(save(config=TEXT)).model.pretrained == 'open-mmlab://resnet50_v1c'


def test_a_config_and_its_checkpoint(tmp_path, save):
    (tmp_path / 'c.py').write_text(TEXT)
    cfg, checkpoint = find_predictor(tmp_path / 'c.py', 'y.pth')
    assert (cfg.data.samples_per_gpu, checkpoint) == (4, 'y.pth')
    with pytest.raises(ConfigError, match=r'c\.py says how the model is .*: add --checkpoint FILE'):
        find_predictor(tmp_path / 'c.py')
    with pytest.raises(ConfigError, match=r'x\.pth and --checkpoint y\.pth are two checkpoints'):
        find_predictor(save(), 'y.pth')


def test_a_published_model():
    cfg, checkpoint = find_predictor('pspnet_r50-d8_512x512_20k_voc12aug')
    assert cfg.model.decode_head.type == 'PSPHead'
    assert checkpoint.startswith('https://')
    assert find_predictor('pspnet_r50-d8_512x512_20k_voc12aug', 'mine.pth')[1] == 'mine.pth'


@pytest.mark.parametrize(('name', 'told'), [
    ('none.pth', 'the checkpoint none.pth does not exist'),
    ('dir/none.safetensors', 'the checkpoint dir/none.safetensors does not exist')])
def test_a_checkpoint_that_is_missing(name, told):
    with pytest.raises(MissingCheckpointError, match=told):
        find_predictor(name)


def test_a_name_that_is_unknown(tmp_path):
    with pytest.raises(ConfigError, match='neither a config file nor the name of a model; did you'):
        find_predictor('pspnet_r50-d8_512x512_20k_voc12agu')
    with pytest.raises(CheckpointError, match='is a folder'):
        find_predictor(str(tmp_path))


@pytest.mark.parametrize(('meta', 'told'), [
    ({}, r'x\.pth has no config in it: give the config before the images, and --checkpoint .*x\.p'),
    (dict(cfg='model = dict()'), 'no config in it, only one in the dialect of mmsegmentation 1.x:'),
    (dict(config='import os'), 'line 1: .import os. is not a name with a plain value'),
    (dict(config='x = 1'), r'x\.pth has no model: give the config'),
    (dict(config="model = dict()\ncustom_imports = dict(imports=['x'])"),
     r'has custom_imports, code that a file of data may not ask for: give the config')])
def test_a_checkpoint_without_a_config_of_use(save, meta, told):
    with pytest.raises(ConfigError, match=told):
        find_predictor(save(**meta))


class Signs(CustomDataset):
    CLASSES = ('stop', 'go', 'wait')
    PALETTE = ((1, 1, 1), (2, 2, 2), (3, 3, 3))


def test_names_of_the_data_set_where_the_checkpoint_has_none(make):
    cfg, checkpoint, _ = make(LOAD, 3)
    model = load_predictor(cfg, checkpoint, 'cpu').module
    assert (model.CLASSES, model.PALETTE) == (('a', 'b', 'c'), None)
    cfg.data.test.palette = [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    assert cfg.data.test.palette == load_predictor(cfg, checkpoint, 'cpu').module.PALETTE
    cfg.data.test = dict(type=Signs, pipeline=cfg.data.test.pipeline)
    model = load_predictor(cfg, checkpoint, 'cpu').module
    assert (model.CLASSES, model.PALETTE) == (Signs.CLASSES, Signs.PALETTE)
    # Of another number of classes, the data set is not that of the model.
    cfg.data.test.type = 'PascalVOCDataset'
    model = load_predictor(cfg, checkpoint, 'cpu').module
    assert (model.CLASSES, model.PALETTE) == (None, None)
    stored = torch.load(checkpoint)
    torch.save({**stored, 'meta': dict(CLASSES=['x', 'y', 'z'])}, checkpoint)
    assert tuple(load_predictor(cfg, checkpoint, 'cpu').module.CLASSES) == ('x', 'y', 'z')


def test_a_predictor_is_not_in_training(make):
    cfg, checkpoint, _ = make(LOAD, 3)
    model = load_predictor(cfg, checkpoint, 'cpu')
    assert not any(module.training for module in model.modules())
    assert model.module.cfg is cfg


# ------------------------------------------------------------------ options


def applied(cfg, **options):
    apply_options(cfg, PredictOptions('x', **options))
    return cfg


def test_without_options_the_config_stays():
    given = Config.fromstring(TEXT.replace('range(0, 1)', '[0]'))
    text = given.pretty_text
    assert applied(given).pretty_text == text


@pytest.mark.parametrize('place', ['data.test.pipeline', 'test_pipeline', 'data.val.pipeline'])
def test_views(place):
    steps = [LOAD, dict(type='MultiScaleFlipAug', img_scale=(40, 30))]
    cfg = Config({})
    cfg.merge_from_dict({place: steps})
    applied(cfg, tta=True)
    step = cfg
    for name in place.split('.'):
        step = step[name]
    assert (step[1].flip, len(step[1].img_ratios)) == (True, 6)
    with pytest.raises(ConfigError, match='--tta changes the MultiScaleFlipAug step'):
        applied(Config(dict(test_pipeline=[LOAD])), tta=True)


@pytest.mark.parametrize(('options', 'ratios', 'flip'), [
    (dict(scale=1), [1], False), (dict(scale=0.5), [0.5], False),
    (dict(scale=2, tta=True), [1, 1.5, 2, 2.5, 3, 3.5], True)])
def test_scale(options, ratios, flip):
    view = dict(type='MultiScaleFlipAug', img_scale=(40, 30), img_ratios=[0.7], flip=False)
    step = applied(Config(dict(test_pipeline=[LOAD, view])), **options).test_pipeline[1]
    assert (step.img_scale, step.img_ratios, step.flip) == (None, ratios, flip)
    with pytest.raises(ConfigError, match='--scale changes the MultiScaleFlipAug step'):
        applied(Config(dict(test_pipeline=[LOAD])), scale=1)


WINDOWS = dict(mode='slide', crop_size=(60, 80), stride=(20, 30), batch_windows=2)
TRAINED = dict(train=dict(dataset=dict(pipeline=[dict(type='RandomCrop', crop_size=(48, 96))])))


@pytest.mark.parametrize(('test_cfg', 'data', 'options', 'crop', 'stride'), [
    (WINDOWS, {}, dict(slide=True), (60, 80), (20, 30)),
    (dict(WINDOWS, mode='whole'), TRAINED, dict(slide=True), (60, 80), (20, 30)),
    (dict(mode='whole'), TRAINED, dict(slide=True), (48, 96), (32, 64)),
    (WINDOWS, {}, dict(crop=[90]), (90, 90), (60, 60)),
    (WINDOWS, {}, dict(crop=[90, 33], stride=[11]), (90, 33), (11, 11)),
    (WINDOWS, {}, dict(stride=[12, 13]), (60, 80), (12, 13)),
    (None, TRAINED, dict(slide=True, stride=[5]), (48, 96), (5, 5)),
    (None, dict(train=dict(pipeline=[dict(type='RandomCrop', crop_size=66)])), dict(slide=True),
     (66, 66), (44, 44))])
@pytest.mark.parametrize('outside', [False, True])
def test_windows(test_cfg, data, options, crop, stride, outside):
    cfg = Config(dict(model=dict(type='X'), data=data))
    if test_cfg is not None:
        (cfg if outside else cfg.model).test_cfg = test_cfg
    applied(cfg, **options)
    found = cfg.model.get('test_cfg') or cfg.test_cfg
    assert (found.mode, found.crop_size, found.stride) == ('slide', crop, stride)
    assert found.get('batch_windows') == (test_cfg or {}).get('batch_windows')
    assert ('test_cfg' in cfg.model) != ('test_cfg' in cfg)


def test_windows_of_no_known_size():
    with pytest.raises(ConfigError, match='--slide: neither test_cfg nor a RandomCrop of the tr'):
        applied(Config(dict(model={}, data={})), slide=True)


@pytest.mark.parametrize(('given', 'fp16'), [
    ({}, dict(opt_level='O1')), (dict(fp16=dict(dtype='bfloat16')), dict(dtype='bfloat16')),
    (dict(bf16=dict(opt_level='O2')), None)])
def test_mixed_precision(given, fp16):
    assert applied(Config(given), amp=True).get('fp16') == fp16


def test_mixed_precision_is_that_of_the_test_command(make):
    cfg, checkpoint, _ = make(LOAD, 3)
    applied(cfg, amp=True)
    with load_predictor(cfg, checkpoint, 'cpu').autocast():
        assert torch.is_autocast_enabled('cpu')
