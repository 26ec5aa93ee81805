"""`in_channels` of a config reaches the model, the loading and the normalisation."""
import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config
from mmseg.apis.explain import explain_key
from mmseg.apis.settings import check_settings
from mmseg.utils.input_channels import spread_in_channels

NORM = dict(mean=[1.0, 2, 3], std=[4.0, 5, 6], to_rgb=True)
FIVE = dict(mean=[1.0, 2, 3, 4, 5], std=[6.0, 7, 8, 9, 10], to_rgb=False)


def config(load=None, norm=NORM, **more):
    def steps():
        return [dict(load or {}, type='LoadImageFromFile'), dict(norm, type='Normalize')]
    views = [steps()[0], dict(type='MultiScaleFlipAug', transforms=steps()[1:])]
    return Config({
        'model': dict(backbone=dict(type='UNet', in_channels=3)),
        'test_pipeline': views,
        'data': dict(train=dict(type='RepeatDataset', dataset=[dict(pipeline=steps())]),
                     val=dict(pipeline=views)), **more})


def loaders(cfg):
    return [cfg.data.train.dataset[0].pipeline[0], cfg.data.val.pipeline[0], cfg.test_pipeline[0]]


def norms(cfg):
    return [cfg.data.train.dataset[0].pipeline[1], cfg.data.val.pipeline[1].transforms[0]]


def test_it_reaches_every_place():
    cfg = config(in_channels=5, img_norm_cfg=FIVE)
    for _ in range(2):  # again changes nothing
        spread_in_channels(cfg)
        assert cfg.model.backbone.in_channels == 5
        assert all(step == dict(type='LoadImageFromFile', color_type='bands', channels=5)
                   for step in loaders(cfg))
        assert all(step == dict(FIVE, type='Normalize') for step in norms(cfg))


def test_a_saved_config_may_be_given_another_number():
    cfg = config(in_channels=5)
    spread_in_channels(cfg)
    cfg.in_channels = 4
    spread_in_channels(cfg)
    assert [step.channels for step in loaders(cfg)] == [4, 4, 4]
    assert cfg.model.backbone.in_channels == 4


@pytest.mark.parametrize('norm', [NORM, dict(FIVE, std=[1.0])])
def test_values_for_other_channels_stay_out_of_the_steps(norm):
    cfg = config(in_channels=5, img_norm_cfg=norm)
    spread_in_channels(cfg)
    assert all(step == dict(NORM, type='Normalize') for step in norms(cfg))


def test_values_of_a_step_of_as_many_channels_stay():
    own = dict(FIVE, mean=[0.0] * 5)
    cfg = config(norm=own, in_channels=5, img_norm_cfg=FIVE)
    spread_in_channels(cfg)
    assert all(step == dict(own, type='Normalize') for step in norms(cfg))


@pytest.mark.parametrize('load', [{}, dict(color_type='color')])
def test_values_for_blue_first_are_not_those_of_three_bands(load):
    """The pipelines of base configs have as many values, for colours that OpenCV decodes."""
    three = dict(mean=[100.0, 200, 300], std=[7.0, 8, 9], to_rgb=False)
    cfg = config(load, in_channels=3, img_norm_cfg=three)
    spread_in_channels(cfg)
    expected = NORM if load else three
    assert all(step == dict(expected, type='Normalize') for step in norms(cfg))


def test_without_it_nothing_changes():
    cfg = config(img_norm_cfg=FIVE)
    spread_in_channels(cfg)
    assert cfg == config(img_norm_cfg=FIVE)


@pytest.mark.parametrize('kind', ['unchanged', 'grayscale'])
def test_a_color_type_of_as_many_channels_stays(kind):
    cfg = config(dict(color_type=kind), in_channels=1)
    spread_in_channels(cfg)
    assert all(step == dict(type='LoadImageFromFile', color_type=kind) for step in loaders(cfg))


@pytest.mark.parametrize(('kind', 'count'), [('color', '3 channels'), ('grayscale', '1 channel')])
def test_a_color_type_of_other_channels_is_refused(kind, count):
    cfg = config(dict(color_type=kind), in_channels=5)
    with pytest.raises(ConfigError, match=f'^in_channels=5, but .*pipeline.0 loads color_type='
                                          f"'{kind}', images of {count}: leave color_type out"):
        spread_in_channels(cfg)


@pytest.mark.parametrize('value', ['5', 0, 5000, 2.5, True])
def test_a_wrong_value_is_told(value):
    with pytest.raises(ConfigError, match='in_channels=.*does not fit, it takes'):
        check_settings(config(in_channels=value))


def test_the_check_of_settings_spreads_it_too():
    cfg = config(in_channels=5)
    check_settings(cfg)
    assert cfg.model.backbone.in_channels == 5


def test_a_command_line_and_where_values_come_from(repo_dir):
    file = repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'
    cfg = load_config(file, {'in_channels': 4, 'img_norm_cfg.mean': [1, 2, 3, 4],
                             'img_norm_cfg.std': [5, 6, 7, 8], 'img_norm_cfg.to_rgb': False})
    for key, value in (('model.backbone.in_channels', 4), ('data.test.pipeline.0.channels', 4),
                       ('data.train.pipeline.6.mean', [1, 2, 3, 4])):
        last = explain_key(cfg, key).splitlines()[-1]
        assert last.startswith(f'{key} = {value}  # set by ')
        assert last.endswith('command line')
