"""tools/publish_model.py and tools/convert_checkpoint.py."""
import numpy as np
import pytest
import torch

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError
from mmseg.apis import inference_segmentor, init_segmentor

MODEL = dict(
    type='EncoderDecoder', pretrained=None,
    backbone=dict(type='ResNetV1c', depth=18, stem_channels=8, base_channels=4),
    decode_head=dict(type='FCNHead', in_channels=32, channels=8, num_classes=2,
                     norm_cfg=dict(type='BN')),
    train_cfg={}, test_cfg=dict(mode='whole'))
STEPS = [dict(type='LoadImageFromFile'),
         dict(type='MultiScaleFlipAug', img_scale=(64, 64), flip=False, transforms=[
             dict(type='Resize', keep_ratio=True),
             dict(type='Normalize', mean=[0.] * 3, std=[1.] * 3),
             dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
CONFIG = dict(model=MODEL, data=dict(test=dict(pipeline=STEPS)))
IMAGE = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)


@pytest.fixture
def trained(tmp_path):
    """A checkpoint with averaged weights, and the model."""
    torch.manual_seed(0)
    model = init_segmentor(Config(CONFIG), device='cpu')
    averaged = {key: value + 1 if value.is_floating_point() else value
                for key, value in model.state_dict().items()}
    torch.save(dict(meta=dict(CLASSES=('road', 'car'), PALETTE=[[1, 2, 3], [4, 5, 6]]),
                    state_dict=model.state_dict(), ema_state_dict=averaged, optimizer={}),
               tmp_path / 'trained.pth')
    return tmp_path / 'trained.pth', model


@pytest.mark.parametrize('options', [[], ['--safetensors'], ['--averaged'], ['--ema']])
def test_a_published_model_predicts_as_before(run_tool, capsys, tmp_path, trained, options):
    checkpoint, model = trained
    run_tool('publish_model.py', checkpoint, tmp_path / 'mine.pth', *options)
    [path] = capsys.readouterr().out.splitlines()
    assert path.endswith('.safetensors' if options == ['--safetensors'] else '.pth')
    found = init_segmentor(Config(CONFIG), path, device='cpu')
    assert tuple(found.CLASSES) == ('road', 'car')
    assert found.PALETTE == [[1, 2, 3], [4, 5, 6]]
    shift = 1 if options in (['--averaged'], ['--ema']) else 0
    for key, value in model.state_dict().items():
        expected = value + shift if value.is_floating_point() else value
        assert torch.equal(found.state_dict()[key], expected), key
    if not shift:
        [one], [other] = (inference_segmentor(each, IMAGE) for each in (found, model))
        assert (one == other).all()


def test_a_backbone_goes_to_timm_and_back(run_tool, capsys, tmp_path, trained):
    checkpoint, model = trained
    run_tool('convert_checkpoint.py', checkpoint, tmp_path / 'timm.safetensors', '--to', 'timm')
    run_tool('convert_checkpoint.py', tmp_path / 'timm.safetensors', tmp_path / 'back.pth', '--to',
             '0.x')
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / 'timm.safetensors'), str(tmp_path / 'back.pth')]
    expected = model.backbone.state_dict()
    model.backbone.load_state_dict(torch.load(tmp_path / 'back.pth')['state_dict'], strict=True)
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(value, expected[key])


def test_formats_of_segmentors(run_tool, tmp_path, trained):
    checkpoint, model = trained
    run_tool('convert_checkpoint.py', checkpoint, tmp_path / 'new.pth', '--to', '1.x')
    meta = torch.load(tmp_path / 'new.pth')['meta']
    assert meta['dataset_meta'] == dict(classes=('road', 'car'), palette=[[1, 2, 3], [4, 5, 6]])
    found = init_segmentor(Config(CONFIG), tmp_path / 'new.pth', device='cpu')
    assert tuple(found.CLASSES) == ('road', 'car')
    assert torch.equal(found.decode_head.conv_seg.weight, model.decode_head.conv_seg.weight)


def test_errors(run_tool, tmp_path, trained):
    with pytest.raises(CheckpointError, match='gone.pth does not exist'):
        run_tool('publish_model.py', tmp_path / 'gone.pth', tmp_path / 'out')
    with pytest.raises(CheckpointError, match='torchvision has no ResNet, ResNeXt or ResNeSt with'):
        run_tool('convert_checkpoint.py', trained[0], tmp_path / 'x.pth', '--to', 'torchvision')


@pytest.mark.parametrize('tool', ['publish_model.py', 'convert_checkpoint.py'])
def test_help(run_command_line, tool):
    done = run_command_line(tool, '--help')
    assert done.returncode == 0
    assert f'python tools/{tool} ' in done.stdout
