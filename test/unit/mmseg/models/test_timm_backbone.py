"""TIMMBackbone: options, weights, errors. Values: test_backbones."""
import sys

import pytest
import torch
from torch import nn

from mmcv_replace.utils.errors import CheckpointError, ConfigError, MissingModuleError
from mmseg.models import build_backbone, build_segmentor

from .backbone_cases.timm_backbone import MISSING

needs_timm = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def build(name, **options):
    return build_backbone(dict(dict(type='TIMMBackbone', model_name=name, pretrained=False),
                               **options))


@pytest.mark.parametrize('line', ["raise RuntimeError('operator torchvision::nms does not exist')",
                                  "raise ModuleNotFoundError(\"No module named 'torchvision'\")"])
def test_a_timm_that_cannot_be_imported(tmp_path, monkeypatch, line):
    (tmp_path / 'timm').mkdir()
    (tmp_path / 'timm/__init__.py').write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition('.')[0] == 'timm']:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingModuleError, match=(
            r"TIMMBackbone\('resnet18'\) needs timm, which cannot be imported \(.*torchvision.*\): "
            r"pip install 'mmseg-ascend\[timm\]'; torchvision, which timm imports, must be")):
        build('resnet18')


@pytest.mark.parametrize('options', [
    dict(pretrained=True, init_cfg=dict(type='Kaiming', layer='Conv2d')),
    dict(pretrained='a.pth', checkpoint_path='b.pth'),
    dict(checkpoint_path='b.pth', init_cfg=dict(type='Kaiming', layer='Conv2d')),
])
def test_two_ways_to_start(options):
    with pytest.raises(ConfigError, match=r"TIMMBackbone\('resnet18'\): .* in more than one way"):
        build('resnet18', **options)


@needs_timm
class TestWithTimm:
    @pytest.mark.parametrize(('name', 'options', 'strides'), [
        ('resnet18', {}, (2, 4, 8, 16, 32)),
        ('resnet18', dict(out_indices=(1, 2, 3, 4)), (4, 8, 16, 32)),
        ('resnet18', dict(features_only=False), (32,)),
        ('mobilenetv3_small_050', dict(output_stride=8), (2, 4, 8, 8, 8)),
        ('efficientnet_lite0', {}, (2, 4, 8, 16, 32)),
        ('hrnet_w18_small', {}, (2, 4, 8, 16, 32)),
        ('convnext_atto', {}, (4, 8, 16, 32)),
        ('swin_tiny_patch4_window7_224', dict(img_size=(64, 96)), (4, 8, 16, 32)),
        ('swin_tiny_patch4_window7_224', dict(img_size=(64, 96), features_only=False), (32,)),
        ('vit_tiny_patch16_224', dict(dynamic_img_size=True), (16, 16, 16)),
    ])
    def test_maps_are_described(self, name, options, strides):
        model = build(name, **options).eval()
        assert model.out_strides == strides
        with torch.no_grad():
            maps = model(torch.randn(1, 3, 64, 96))
        assert [tuple(each.shape) for each in maps] == [
            (1, channels, 64 // stride, 96 // stride)
            for channels, stride in zip(model.out_channels, strides, strict=True)]

    def test_maps_of_swin_are_turned(self):
        model = build('swin_tiny_patch4_window7_224', img_size=(64, 96)).eval()
        x = torch.randn(1, 3, 64, 96)
        with torch.no_grad():
            for ours, theirs in zip(model(x), model.timm_model(x), strict=True):
                assert torch.equal(ours, theirs.permute(0, 3, 1, 2))

    @pytest.mark.parametrize(('name', 'parts'), [
        ('resnet18', [['conv1', 'bn1', 'act1'], ['maxpool', 'layer1'], ['layer2'], ['layer3'],
                      ['layer4']]),
        ('convnext_atto', [['stem_0', 'stem_1', 'stages_0'], ['stages_1'], ['stages_2'],
                           ['stages_3']]),
        ('mobilenetv3_small_050', [
            ['conv_stem', 'bn1'], ['act1', 'blocks.0'], ['blocks.1'], ['blocks.2', 'blocks.3'],
            ['blocks.4', 'blocks.5']]),
        ('hrnet_w18_small', [['']]),
    ])
    def test_parts_end_with_the_maps(self, name, parts):
        model = build(name)
        names = {id(module): key for key, module in model.timm_model.named_modules()}
        assert [[names[id(module)] for module in part] for part in model.parts()] == parts

    def test_normalisation_of_its_weights(self):
        assert build('resnet18').img_norm_cfg == dict(
            mean=pytest.approx([123.675, 116.28, 103.53]),
            std=pytest.approx([58.395, 57.12, 57.375]), to_rgb=True)
        assert build('resnet18', in_channels=1).img_norm_cfg is None
        assert build('vit_tiny_patch16_224').img_norm_cfg['mean'] == [127.5] * 3

    @pytest.mark.parametrize(('options', 'expected'), [
        ({}, False), (dict(pretrained=True), True), (dict(checkpoint_path='x'), True),
        (dict(pretrained='x'), False)])
    def test_whether_it_starts_from_timm(self, options, expected):
        assert build('resnet18', **options).starts_from_timm == expected

    @pytest.mark.parametrize('name', ['BN', 'GN', 'batchnorm'])
    def test_norm_layers(self, name):
        if name == 'GN':
            with pytest.raises(ConfigError, match='cannot make'):  # it takes two numbers
                build('resnet18', norm_layer=name)
        else:
            assert isinstance(build('resnet18', norm_layer=name).timm_model.bn1, nn.BatchNorm2d)

    def test_sync_norms(self):
        assert isinstance(build('resnet18', norm_layer='SyncBN').timm_model.bn1, nn.SyncBatchNorm)

    def test_unknown_names_and_options(self):
        with pytest.raises(ConfigError, match=(
                "TIMMBackbone: timm .* has no model_name='resnet_18'; did you mean .*'resnet18'")):
            build('resnet_18')
        with pytest.raises(ConfigError, match=(
                r"timm cannot make 'resnet18' with features_only=True, {'colour': 3} \(TypeError")):
            build('resnet18', colour=3)
        for name in ('swin_tiny_patch4_window7_224', 'vit_tiny_patch16_224', 'hrnet_w18_small'):
            with pytest.raises(ConfigError, match='output_stride is for convolutional networks'):
                build(name, output_stride=8)
        with pytest.raises(ConfigError, match='TIMMBackbone.*must be -1'):
            build('hrnet_w18_small', frozen_stages=1)

    @pytest.mark.parametrize(('options', 'size'), [
        ({}, (64, 64)), (dict(img_size=(64, 96)), (96, 64)),
        (dict(dynamic_img_size=True), (64, 90))])
    @pytest.mark.parametrize('name', ['swin_tiny_patch4_window7_224', 'vit_tiny_patch16_224'])
    def test_sizes_that_a_transformer_does_not_take(self, name, options, size):
        with pytest.raises(ConfigError, match=(
                f'{name}. does not take images of {size[0]} x {size[1]} .Input .*: give the '
                'backbone dynamic_img_size=True, .*size_divisor=32')):
            build(name, **options)(torch.randn(1, 3, *size))
        fitting = build(name, dynamic_img_size=True).eval()
        assert fitting(torch.randn(1, 3, 64, 96))[0].size(0) == 1

    def test_tokens_are_no_map(self):
        model = build('vit_tiny_patch16_224', features_only=False)
        with pytest.raises(ConfigError, match='features_only=False gives .* which is no map'):
            model(torch.randn(1, 3, 224, 224))

    @pytest.mark.parametrize('name', ['resnet18', 'convnext_atto', 'mobilenetv3_small_050',
                                      'swin_tiny_patch4_window7_224'])
    @pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
    def test_weights_in_the_form_of_timm(self, name, suffix, tmp_path):
        import timm
        from safetensors.torch import save_file
        torch.manual_seed(1)
        state = timm.create_model(name).state_dict()
        file = str(tmp_path / f'weights{suffix}')
        (torch.save if suffix == '.pth' else save_file)(state, file)
        by_timm = build(name, checkpoint_path=file)
        by_us = build(name, pretrained=file)
        for model in (by_timm, by_us):
            model.init_weights()
        found = by_timm.timm_model.state_dict()
        assert found.keys() == by_us.timm_model.state_dict().keys()
        values = {key.replace('_', '.'): value for key, value in state.items()}
        for key, value in found.items():
            assert torch.equal(value, values[key.replace('_', '.')]), key
            assert torch.equal(value, by_us.timm_model.state_dict()[key]), key

    def test_weights_for_five_channels(self, tmp_path):
        import timm
        state = timm.create_model('resnet18').state_dict()
        torch.save(state, tmp_path / 'w.pth')
        model = build('resnet18', checkpoint_path=str(tmp_path / 'w.pth'), in_channels=5)
        model.init_weights()
        found, weight = model.timm_model.conv1.weight, state['conv1.weight']
        torch.testing.assert_close(found, weight[:, [0, 1, 2, 0, 1]] * 3 / 5)

    @pytest.mark.parametrize('features_only', [True, False])
    def test_a_file_that_lacks_weights(self, tmp_path, features_only):
        import timm
        state = timm.create_model('resnet18').state_dict()
        del state['layer3.0.conv1.weight']
        file = tmp_path / 'w.pth'
        torch.save(state, file)
        model = build('resnet18', checkpoint_path=str(file), features_only=features_only)
        before = torch.get_rng_state()
        with pytest.raises(CheckpointError, match=(
                'w.pth lacks 1 of 20 weights of .resnet18., such as layer3.0.conv1.weight: give a '
                'file of this model' if features_only else 'cannot be loaded')):
            model.init_weights()
        assert torch.equal(torch.get_rng_state(), before)
        torch.save(timm.create_model('convnext_atto').state_dict(), file)
        with pytest.raises(CheckpointError, match='lacks 20 of 20|cannot be loaded'):
            model.init_weights()

    def test_weights_that_cannot_be_had(self, tmp_path, monkeypatch):
        monkeypatch.setenv('HF_HUB_OFFLINE', '1')
        model = build('resnet18', checkpoint_path=str(tmp_path / 'none.pth'))
        with pytest.raises(CheckpointError, match=(
                "TIMMBackbone: checkpoint_path='.*none.pth' is not a file")):
            model.init_weights()
        (tmp_path / 'none.pth').write_text('?')
        with pytest.raises(CheckpointError, match=(
                r"TIMMBackbone: the weights of 'resnet18' \(.*none.pth\) cannot be loaded")):
            model.init_weights()

        def offline(*args, **kwargs):
            raise OSError('no network')

        model = build('resnet18', pretrained=True)
        monkeypatch.setattr('timm.models._builder.load_pretrained', offline)
        with pytest.raises(CheckpointError, match=(
                r"'resnet18' \(from timm\) cannot be loaded \(no network\): .*_path=FILE")):
            model.init_weights()

    def test_building_reads_nothing(self, monkeypatch):
        monkeypatch.setattr('timm.models._builder.load_pretrained', None)
        build('resnet18', pretrained=True)

    def test_random_weights_stay_those_that_were_drawn(self):
        model = build('resnet18')
        model.init_weights()
        before = model.timm_model.conv1.weight.clone()
        model.init_weights()
        assert torch.equal(model.timm_model.conv1.weight, before)

    def test_a_segmentor_trains(self):
        model = build_segmentor(dict(
            type='EncoderDecoder',
            backbone=dict(type='TIMMBackbone', model_name='convnext_atto', pretrained=False),
            decode_head=dict(type='FCNHead', in_channels=320, channels=8, num_classes=3,
                             norm_cfg=dict(type='BN'))))
        model.init_weights()
        metas = [dict(ori_shape=(64, 64, 3), img_shape=(64, 64, 3), pad_shape=(64, 64, 3),
                      flip=False)] * 2
        out = model.train_step(dict(
            img=torch.randn(2, 3, 64, 64), img_metas=metas,
            gt_semantic_seg=torch.randint(3, (2, 1, 64, 64))), None)
        out['loss'].backward()
        assert all(param.grad is not None for param in model.backbone.parameters())
