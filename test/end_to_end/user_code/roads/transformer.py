"""A backbone of transformer blocks, in the style of the later 0.x versions."""
import torch
import torch.nn as nn
from mmcv.cnn import build_norm_layer
from mmcv.cnn.bricks.drop import build_dropout
from mmcv.cnn.bricks.registry import ATTENTION
from mmcv.cnn.bricks.transformer import (
    FFN,
    MultiheadAttention,
    PatchEmbed,
    PatchMerging,
    build_attention,
)
from mmcv.cnn.utils.weight_init import constant_init, trunc_normal_, trunc_normal_init
from mmcv.runner import BaseModule, ModuleList, auto_fp16

from mmseg import digit_version, mmcv_version
from mmseg.models.builder import BACKBONES


@ATTENTION.register_module()
class PooledAttention(MultiheadAttention):
    """Every pixel looks at the means of squares of pixels."""

    def __init__(self, *args, pool=2, **kwargs):
        super().__init__(*args, **kwargs)
        assert mmcv_version >= digit_version('1.3.17')  # batch_first means what it says
        self.pool = nn.AvgPool2d(pool, ceil_mode=True)

    def forward(self, x, hw, identity=None):
        means = self.pool(x.transpose(1, 2).unflatten(2, hw)).flatten(2).transpose(1, 2)
        return super().forward(x, means, means, identity)


class RoadBlock(BaseModule):
    def __init__(self, dims, heads, drop_path, norm_cfg, init_cfg=None):
        super().__init__(init_cfg=init_cfg)
        drop = dict(type='DropPath', drop_prob=drop_path)
        self.norm1 = build_norm_layer(norm_cfg, dims)[1]
        self.attn = build_attention(dict(type='PooledAttention', embed_dims=dims, num_heads=heads,
                                         dropout_layer=drop, batch_first=True))
        self.norm2 = build_norm_layer(norm_cfg, dims)[1]
        self.ffn = FFN(dims, 2 * dims, act_cfg=dict(type='GELU'), dropout_layer=drop)

    def forward(self, x, hw):
        x = self.attn(self.norm1(x), hw, identity=x)
        return self.ffn(self.norm2(x), identity=x)


@BACKBONES.register_module()
class RoadTransformer(BaseModule):
    """Two stages of blocks, with a position that is learned."""

    def __init__(self, dims=8, heads=(1, 2), drop_path_rate=0.1,
                 norm_cfg=dict(type='LN', eps=1e-6), pretrained=None, init_cfg=None):  # noqa: B006
        assert not (init_cfg and pretrained)
        if isinstance(pretrained, str):
            init_cfg = dict(type='Pretrained', checkpoint=pretrained)
        super().__init__(init_cfg=init_cfg)
        self.embed = PatchEmbed(3, dims, kernel_size=4, stride=4, padding='corner',
                                norm_cfg=norm_cfg)
        self.bias = nn.Parameter(torch.zeros(1, 1, dims))
        self.drop = build_dropout(dict(type='Dropout', drop_prob=0.))
        self.stages = ModuleList()
        for i, number in enumerate(heads):
            self.stages.append(ModuleList([
                RoadBlock(dims * 2**i, number, drop_path_rate, norm_cfg),
                build_norm_layer(norm_cfg, dims * 2**i)[1]]))
        self.merge = PatchMerging(dims, 2 * dims, norm_cfg=norm_cfg)
        self.fp16_enabled = False

    def init_weights(self):
        if self.init_cfg is not None:
            super().init_weights()
            return
        trunc_normal_(self.bias, std=.02)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                trunc_normal_init(m, std=.02, bias=0.)
            elif isinstance(m, nn.LayerNorm):
                constant_init(m, val=1.0, bias=0.)

    @auto_fp16()
    def forward(self, x):
        x, hw = self.embed(x)
        x = self.drop(x + self.bias)
        outs = []
        for i, (block, norm) in enumerate(self.stages):
            if i > 0:
                x, hw = self.merge(x, hw)
            x = block(x, hw)
            outs.append(norm(x).transpose(1, 2).reshape(len(x), -1, *hw).contiguous())
        return tuple(outs)
