"""Wiring of a training: DDP's options, SyncBN, and the weights that it starts from."""
import logging

import pytest
import torch
from torch import nn

from mmcv_replace import device
from mmcv_replace.device import DeviceKind
from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import Precision
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.model import ddp_options, wrap_model
from mmseg.apis.train import _load_weights, _register_evaluation, init_random_seed
from mmseg.datasets import CustomDataset
from mmseg.models import build_segmentor


def test_options_of_ddp():
    cfg = Config(dict(optimizer=dict(type='SGD'), find_unused_parameters=True,
                      ddp=dict(static_graph=True, bucket_cap_mb=10)))
    options = ddp_options(cfg, torch.device('cpu'))
    sharing = options.keys() & {'broadcast_buffers', 'forward_sync_buffers'}
    assert [options.pop(name) for name in sharing] == [False]
    assert options == dict(gradient_as_bucket_view=True, find_unused_parameters=True,
                           static_graph=True, bucket_cap_mb=10)


def test_an_optimizer_with_its_own_gradients_gets_no_views(monkeypatch):
    cfg = Config(dict(optimizer=dict(type='NpuFusedSGD')))
    assert ddp_options(cfg, torch.device('cpu'))['gradient_as_bucket_view']
    monkeypatch.setattr(device, 'KINDS', (DeviceKind('xpu', backend='b', optimizers='vendor'),))
    assert not ddp_options(cfg, torch.device('xpu'))['gradient_as_bucket_view']


def test_one_process_has_no_syncbn():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.SyncBatchNorm(4))
    wrapped = wrap_model(model, torch.device('cpu'), False, Precision('cpu'))
    assert isinstance(wrapped, MMDataParallel)
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in wrapped.modules())


def test_a_misspelt_metric_ends_before_the_first_step():
    cfg = Config(dict(evaluation=dict(metric=['mDice', 'mIuO'])))
    with pytest.raises(ConfigError, match="metric 'mIuO' does not exist; choose from mIoU"):
        _register_evaluation(None, cfg, CustomDataset.__new__(CustomDataset), False, 'cpu')


@pytest.mark.parametrize(('settings', 'loads', 'said'), [
    (dict(load_from='w.pth'), True, None),
    (dict(load_from='w.pth', model=dict(pretrained='p.pth')), True,
     'load_from=w.pth: its weights replace the pretrained ones (p.pth)'),
    (dict(load_from='w.pth', resume_from='r.pth'), False, 'load_from=w.pth is not used: the run '
     'goes on from r.pth, which holds all weights. For a new run from the former leave out '
     '--resume-from and --auto-resume'),
    (dict(resume_from='r.pth'), False, None), ({}, False, None)])
def test_weights_to_start_from(settings, loads, said, monkeypatch, caplog):
    loaded = []
    monkeypatch.setattr('mmseg.apis.train.load_checkpoint',
                        lambda model, file, **options: loaded.append(file) or {})
    logging.getLogger('mmseg').propagate = True
    with caplog.at_level('INFO', 'mmseg'):
        _load_weights(nn.Linear(1, 1), Config({'model': {}, **settings}), None)
    assert loaded == ['w.pth'] * loads
    assert [record.getMessage() for record in caplog.records] == [said] * (said is not None)


def test_weights_to_start_from_are_fitted_to_the_bands(tmp_path, caplog):
    rgb, five = (build_segmentor(dict(
        type='EncoderDecoder',
        backbone=dict(type='UNet', in_channels=channels, base_channels=4, num_stages=2,
                      strides=(1, 1), enc_num_convs=(1, 1), dec_num_convs=(1,), downsamples=(True,),
                      enc_dilations=(1, 1), dec_dilations=(1,)),
        decode_head=dict(type='FCNHead', in_channels=4, channels=4, in_index=1, num_classes=3)))
        for channels in (3, 5))
    torch.save(dict(state_dict=rgb.state_dict()), tmp_path / 'rgb.pth')
    cfg = Config(dict(model={}, load_from=str(tmp_path / 'rgb.pth')))
    with caplog.at_level('INFO', 'mmseg'):
        _load_weights(five, cfg, CustomDataset(pipeline=[], img_dir='img'))

    assert 'for 3 channels fitted to 5: R, G, B repeated, scaled by 3/5' in caplog.text
    assert 'does not fit' not in caplog.text
    first, *others = rgb.state_dict()
    found, own = five.state_dict(), rgb.state_dict()
    torch.testing.assert_close(found[first], own[first][:, [0, 1, 2, 0, 1]] * 0.6)
    assert all(torch.equal(found[key], own[key]) for key in others)


def test_a_seed_is_drawn_where_none_is_given():
    assert init_random_seed(7) == init_random_seed(7, device='cpu') == 7
    drawn = {init_random_seed() for _ in range(3)}
    assert len(drawn) == 3
    assert all(isinstance(seed, int) and 0 <= seed < 2**31 for seed in drawn)
