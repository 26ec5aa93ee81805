"""A decode head over several maps."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import ConvModule, normal_init
from mmcv.runner import auto_fp16, force_fp32

from mmseg.models.builder import HEADS, build_loss
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.ops import resize


@HEADS.register_module()
class GatedFusionHead(BaseDecodeHead):
    """Maps are projected, weighted by a gate and summed; the gate has a loss of its own."""

    def __init__(self, loss_gate=dict(type='SoftIoULoss', loss_weight=0.4),  # noqa: B006
                 **kwargs):
        super().__init__(input_transform='multiple_select', **kwargs)
        self.laterals = nn.ModuleList()
        for channels in self.in_channels:
            self.laterals.append(
                ConvModule(channels, self.channels, 1, conv_cfg=self.conv_cfg,
                           norm_cfg=self.norm_cfg, act_cfg=self.act_cfg, inplace=False))
        self.gate = nn.Conv2d(self.channels * len(self.in_channels), len(self.in_channels), 1)
        self.loss_gate = build_loss(loss_gate)
        self.fp16_enabled = False

    def init_weights(self):
        super().init_weights()
        normal_init(self.gate, mean=0, std=0.01)

    @auto_fp16()
    def forward(self, inputs):
        inputs = self._transform_inputs(inputs)
        maps = [lateral(x) for lateral, x in zip(self.laterals, inputs)]  # noqa: B905
        maps = [resize(x, size=maps[0].shape[2:], mode='bilinear',
                       align_corners=self.align_corners) for x in maps]
        gates = F.softmax(self.gate(torch.cat(maps, dim=1)), dim=1)
        fused = sum(gates[:, i:i + 1] * x for i, x in enumerate(maps))
        return self.cls_seg(fused)

    @force_fp32(apply_to=('seg_logit', ))
    def losses(self, seg_logit, seg_label):
        loss = super().losses(seg_logit, seg_label)
        seg_logit = resize(seg_logit, size=seg_label.shape[2:], mode='bilinear',
                           align_corners=self.align_corners)
        loss['loss_gate'] = self.loss_gate(seg_logit, seg_label.squeeze(1),
                                           ignore_index=self.ignore_index)
        return loss
