"""Loading, normalisation and model must agree about the number of channels, before any work."""
import pytest
import torch
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config
from mmseg.apis.model import build_model_to_inspect
from mmseg.datasets import build_dataset
from mmseg.datasets.pipelines.channel_check import check_channels_agree

FIVE = dict(type='LoadImageFromFile', color_type='bands', channels=5)
COLOUR, GREY = (dict(type='LoadImageFromFile', color_type=kind) for kind in ('color', 'grayscale'))
ANY = dict(type='LoadImageFromFile', color_type='unchanged')


def norm(count, to_rgb=False):
    return dict(type='Normalize', mean=[1.0] * count, std=[2.0] * count, to_rgb=to_rgb)


def own_step(results):
    return results


def check(*steps, channels=5):
    model = nn.Module()
    model.backbone = nn.Module()
    model.backbone.in_channels = channels
    dataset = build_dataset(dict(type='CustomDataset', img_dir='img', pipeline=list(steps)))
    check_channels_agree(model, {'train': dataset})


@pytest.mark.parametrize(('steps', 'channels'), [
    ([FIVE, norm(5)], 5), ([FIVE, norm(1)], 5), ([COLOUR, norm(3, True)], 3), ([COLOUR], 3),
    ([GREY, norm(1)], 1), ([COLOUR, dict(type='RGB2Gray', out_channels=1), norm(1)], 1),
    ([COLOUR, dict(type='RGB2Gray'), norm(3)], 3), ([dict(FIVE, channels=3), norm(3)], 3),
    ([dict(FIVE, channels=3), dict(type='PhotoMetricDistortion'), norm(3)], 3),
    # What these give is not known.
    ([ANY, norm(7)], 5), ([own_step, norm(7)], 5), ([COLOUR, own_step, norm(5)], 5),
    ([dict(FIVE, channels=None), norm(5)], 5), ([FIVE, own_step], 4)])
def test_what_fits(steps, channels):
    check(*steps, channels=channels)


@pytest.mark.parametrize(('steps', 'channels', 'message'), [
    ([FIVE, norm(3)], 5, 'Normalize in data.train has 3 values in mean and std, but the images '
     'have 5 channels: give img_norm_cfg a value for each, and to_rgb=False; python '
     'tools/check_dataset.py CONFIG --statistics computes them'),
    ([COLOUR, norm(5)], 3, 'has 5 values in mean and std, but the images have 3 channels: give as '
     'many, or, for files of 5 bands, set in_channels=5 at the top of the config'),
    ([dict(type='MultiScaleFlipAug', img_scale=(9, 9), transforms=[FIVE, norm(3)])], 5,
     'Normalize in data.train has 3 values'),
    ([dict(FIVE, channels=3), norm(3, True)], 3, 'has to_rgb=True, but with in_channels the bands '
     'keep the order of the file, in which red comes first: set to_rgb=False'),
    ([FIVE, dict(type='PhotoMetricDistortion'), norm(5)], 5, 'PhotoMetricDistortion in data.train '
     'changes red, green and blue, but the images have 5 channels: leave it out'),
    ([FIVE, dict(type='Pad', size_divisor=4, pad_val=(1, 2, 3))], 5, 'Pad in data.train has 3 '
     'values in pad_val, but the images have 5 channels: give a number, or one for each'),
    ([FIVE, dict(type='RandomRotate', prob=1, degree=9, pad_val=(1,) * 4)], 5, 'RandomRotate in '
     'data.train has 4 values in pad_val'),
    ([FIVE, dict(type='RandomCutOut', prob=1, n_holes=1, cutout_shape=(2, 2), fill_in=(1, 2, 3))],
     5, 'RandomCutOut in data.train has 3 values in fill_in, but the images have 5 channels'),
    ([FIVE, norm(5)], 3, 'the images of data.train have 5 channels, but model.backbone.in_channels'
     '=3: set in_channels, the number of bands of the files, at the top of the config'),
    ([GREY], 3, 'the images of data.train have 1 channel, but'),
    ([COLOUR, dict(type='RGB2Gray', out_channels=1)], 3, 'have 1 channel, but')])
def test_what_does_not(steps, channels, message):
    with pytest.raises(ConfigError) as caught:
        check(*steps, channels=channels)
    assert message in str(caught.value)


def mixed(inner, outer):
    return dict(type='MultiImageMixDataset', pipeline=outer, dataset=dict(
        type='RepeatDataset', times=2, dataset=dict(type='CustomDataset', img_dir='img',
                                                    pipeline=inner)))


MOSAIC = dict(type='RandomMosaic', prob=1, img_scale=(8, 8))


@pytest.mark.parametrize(('inner', 'outer', 'message'), [
    ([FIVE], [MOSAIC, norm(5)], None),
    ([FIVE], [MOSAIC, norm(3)], 'Normalize in data.train has 3 values'),
    ([FIVE], [dict(MOSAIC, pad_val=(1, 2, 3)), norm(5)], 'RandomMosaic in data.train has 3 values '
     'in pad_val, but the images have 5 channels'),
    ([COLOUR], [MOSAIC, norm(3)], 'the images of data.train have 3 channels, but'),
    ([FIVE, own_step], [MOSAIC, norm(3)], None),
    ([FIVE, norm(3)], [MOSAIC], 'Normalize in data.train has 3 values')])
def test_samples_that_go_on_through_the_pipeline_of_a_wrapper(inner, outer, message, tmp_path,
                                                              monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'img').mkdir()
    (tmp_path / 'img/1.jpg').touch()
    dataset = build_dataset([mixed(inner, outer), dict(type='CustomDataset', img_dir='img',
                                                       pipeline=[FIVE, norm(5)])])
    model = nn.Module()
    model.backbone = nn.Module()
    model.backbone.in_channels = 5
    if message is None:
        check_channels_agree(model, {'train': dataset})
        return
    with pytest.raises(ConfigError) as caught:
        check_channels_agree(model, {'train': dataset})
    assert message in str(caught.value)


class ThreeOfFive(torch.utils.data.Dataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return 1


def test_a_wrapper_of_a_user_may_change_the_images():
    inner = build_dataset(dict(type='CustomDataset', img_dir='img', pipeline=[FIVE, norm(5)]))
    model = nn.Module()
    model.backbone = nn.Module()
    model.backbone.in_channels = 3
    check_channels_agree(model, {'train': ThreeOfFive(inner)})
    with pytest.raises(ConfigError, match='have 5 channels'):
        check_channels_agree(model, {'train': torch.utils.data.Subset(inner, [0])})


def test_the_config_for_own_bands_fits(repo_dir):
    cfg = load_config(repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_own_bands.py')
    splits = {name: build_dataset(cfg.data[name]) for name in ('train', 'val', 'test')}
    model = build_model_to_inspect(cfg)
    check_channels_agree(model, splits)
    assert model.backbone.in_channels == model.input_bands == 5
    assert all(part.pipeline.transforms[0].channels == 5 for part in splits.values())
