"""What DAHead has beside its logits: the losses of its three classifiers, and what it refuses."""
import copy

import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_head
from mmseg.models.decode_heads.da_head import CAM, PAM

from . import head_options as table
from .head_plain import HEAD


def test_each_attention_is_trained_by_a_classifier_of_its_own():
    head = table.build('DAHead', 0).double()
    inputs, label = table.maps(), table.labels(head)
    pam, cam = copy.deepcopy(head)._attend(inputs)
    losses, _ = table.losses_and_gradients(head, inputs, label)
    expected = dict(pam_cam=head.conv_seg(pam + cam), pam=head.pam_conv_seg(pam),
                    cam=head.cam_conv_seg(cam))
    assert [*losses] == [f'{name}.{kind}_seg' for name in expected for kind in ('loss', 'acc')]
    for name, logits in expected.items():
        large = F.interpolate(logits, label.shape[2:], mode='bilinear')
        torch.testing.assert_close(losses[f'{name}.loss_seg'],
                                   F.cross_entropy(large, label[:, 0], ignore_index=255,
                                                   reduction='none').mean())


def test_each_classifier_drops_channels():
    head = table.build('DAHead', 0, dropout_ratio=1.0).double()
    for classify, layer in ((head.cls_seg, head.conv_seg), (head.pam_cls_seg, head.pam_conv_seg),
                            (head.cam_cls_seg, head.cam_conv_seg)):
        x, bias = torch.randn(1, 8, 3, 4).double(), layer.bias.view(1, -1, 1, 1)
        assert torch.equal(classify(x), bias.expand(1, -1, 3, 4))


@pytest.mark.parametrize('block', [PAM(4, 2), CAM()], ids=lambda block: type(block).__name__)
def test_both_attentions_start_as_the_identity(block):
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize('autocast', [True, False])
def test_channels_are_compared_precisely_in_low_precision(autocast):
    """Their products are about 4100, and differ by about 10."""
    torch.manual_seed(0)
    low = (4 + torch.randn(1, 5, 16, 16) / 8).bfloat16()
    cam = CAM()
    torch.nn.init.ones_(cam.gamma.scale)
    energy = low.double().flatten(2) @ low.double().flatten(2).transpose(1, 2)
    expected = ((-energy).softmax(-1) @ low.double().flatten(2)).view_as(low) + low
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        found = cam(low.float() if autocast else low)
    torch.testing.assert_close(found.double(), expected, rtol=0.02, atol=0)


def test_pam_channels_are_those_that_are_compared():
    head = build_head(dict(HEAD, type='DAHead', pam_channels=3))
    assert head.pam.key_project.out_channels == head.pam.query_project.out_channels == 3
    with pytest.raises(ConfigError, match='DAHead: pam_channels=0 must be 1 or more'):
        build_head(dict(HEAD, type='DAHead', pam_channels=0))
