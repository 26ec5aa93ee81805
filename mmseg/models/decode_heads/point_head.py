"""Head that classifies single points again (PointRend)."""
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import RELU
from mmcv_replace.ops import point_sample
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import HEADS
from ..losses import accuracy
from ..utils.points import calculate_uncertainty, point_settings
from .cascade_decode_head import BaseCascadeDecodeHead
from .head_losses import HeadLosses

Uncertainty = Callable[[Tensor], Tensor]


@HEADS.register_module()
class PointHead(BaseCascadeDecodeHead):
    """Rendering of uncertain points from fine maps and coarse logits (PointRend, arXiv:1912.08193).

    A point is classified by `num_fcs` layers of `channels`, over its features in the maps that
    `in_index` lists and its logits by the head before; `coarse_pred_each_layer` gives each layer
    these logits. `conv_cfg` and `norm_cfg` name types for [N, C, P]. Losses are those of points
    alone, logged as loss_point, or as 'point' and the `loss_name` of the config.

    train_cfg of the model: of `num_points` (2048) points, the share `importance_sample_ratio`
    (0.75) are the most uncertain ones of `oversample_ratio` (3) times as many.
    test_cfg: in each of `subdivision_steps` (2), logits are enlarged by `scale_factor` (2), and the
    `subdivision_num_points` (8196) most uncertain pixels are classified again.
    """

    def __init__(self, num_fcs: int = 3, coarse_pred_each_layer: bool = True,
                 conv_cfg: dict | None = {'type': 'Conv1d'},  # noqa: B006
                 norm_cfg: dict | None = None, act_cfg: dict | None = RELU,
                 init_cfg: dict | Sequence[dict] | None = None, **kwargs: Any) -> None:
        if kwargs.setdefault('input_transform', 'multiple_select') != 'multiple_select':
            raise ConfigError(f"PointHead: input_transform={kwargs['input_transform']!r} must be "
                              "'multiple_select' or left out")
        if kwargs.get('sampler') is not None:
            raise ConfigError(f"PointHead: sampler={kwargs['sampler']!r} would choose from the "
                              'pixels of a map, but the loss is that of points: remove it; '
                              'train_cfg.importance_sample_ratio says how many are uncertain ones')
        if num_fcs < 1:
            raise ConfigError(f'PointHead: num_fcs={num_fcs} must be 1 or more')
        super().__init__(
            conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg, **kwargs,
            init_cfg=init_cfg or dict(type='Normal', std=0.01, override=dict(name='fc_seg')))
        self.num_fcs = num_fcs
        self.coarse_pred_each_layer = coarse_pred_each_layer
        extra = self.out_channels if coarse_pred_each_layer else 0
        first = sum(self.in_channels) + self.out_channels
        self.fcs = nn.ModuleList(
            ConvModule(self.channels + extra if i else first, self.channels, 1, **self.layer_cfg)
            for i in range(num_fcs))
        self.fc_seg = nn.Conv1d(self.channels + extra, self.out_channels, 1)
        if self.dropout is not None:
            self.dropout = nn.Dropout(self.dropout_ratio)
        del self.conv_seg

    def cls_seg(self, feat: Tensor) -> Tensor:
        """Classify each point: [N, channels (+ out_channels), P] -> [N, out_channels, P]."""
        return self.fc_seg(feat if self.dropout is None else self.dropout(feat))

    def forward(self, inputs: Sequence[Tensor], prev_output: Tensor) -> Tensor:
        """Logits [N, out_channels, h, w] refined as by `forward_test` without settings."""
        return self.forward_test(inputs, prev_output, None, None)

    def classify(self, maps: Sequence[Tensor], coarse: Tensor, points: Tensor) -> Tensor:
        """Logits [N, out_channels, P] at points [N, P, 2], x and y in [0, 1].

        maps: [N, in_channels[i], h_i, w_i]; coarse: logits [N, out_channels, h, w].
        """
        if coarse.size(1) != self.out_channels:
            raise ConfigError(
                f'PointHead: the head before it gives {coarse.size(1)} logits a pixel, but this '
                f'one has num_classes={self.num_classes} and out_channels={self.out_channels}: set '
                'both in all heads of decode_head to the same')
        x = torch.cat([point_sample(each, points, align_corners=self.align_corners)
                       for each in (*maps, coarse)], dim=1)
        coarse = x[:, -self.out_channels:]
        for fc in self.fcs:
            x = fc(x)
            if self.coarse_pred_each_layer:
                x = torch.cat([x, coarse], dim=1)
        return self.cls_seg(x)

    def forward_train(self, inputs: Sequence[Tensor], prev_output: Tensor,
                      img_metas: Sequence[dict], gt_semantic_seg: Tensor,
                      train_cfg: dict | None) -> dict[str, Tensor]:
        """Losses at points for labels [N, 1, H, W]."""
        with torch.no_grad():
            points = self.get_points_train(prev_output, calculate_uncertainty, train_cfg)
        logits = self.classify(self._transform_inputs(inputs), prev_output, points)
        label = point_sample(gt_semantic_seg.float(), points, mode='nearest',
                             align_corners=self.align_corners)
        return self.losses(logits, label.squeeze(1).long())

    def forward_test(self, inputs: Sequence[Tensor], prev_output: Tensor,
                     img_metas: Sequence[dict] | None, test_cfg: dict | None) -> Tensor:
        """Logits, enlarged step by step, whose uncertain points are classified in each step."""
        maps, refined = self._transform_inputs(inputs), prev_output
        settings = point_settings(self, 'test_cfg', test_cfg)
        for _ in range(settings['subdivision_steps']):
            refined = resize(refined, scale_factor=settings['scale_factor'], mode='bilinear',
                             align_corners=self.align_corners)
            index, points = self.get_points_test(refined, calculate_uncertainty, test_cfg)
            logits = self.classify(maps, prev_output, points).to(refined.dtype)
            index = index.unsqueeze(1).expand_as(logits)
            refined = refined.flatten(2).scatter(2, index, logits).view_as(refined)
        return refined

    def losses(self, point_logits: Tensor, point_label: Tensor) -> dict[str, Tensor]:
        """Losses and accuracy of logits [N, out_channels, P] for labels [N, P]."""
        if point_logits.dtype.itemsize < 4:
            point_logits = point_logits.float()
        losses: dict[str, Tensor] = {}
        for name, loss in zip(self._loss_names, self._criteria(), strict=True):
            name = 'loss_point' if name == 'loss_seg' else f'point{name}'
            value = loss(point_logits, point_label, ignore_index=self.ignore_index)
            losses[name] = losses[name] + value if name in losses else value
        losses['acc_point'] = accuracy(point_logits, point_label, thresh=self.threshold)
        return losses

    def prediction_losses(self, seg_logit: Tensor, seg_label: Tensor) -> dict[str, Tensor]:
        """Losses of all pixels of the refined logits, as those of other heads."""
        return HeadLosses.losses(self, seg_logit, seg_label)

    def get_points_train(self, seg_logits: Tensor, uncertainty_func: Uncertainty,
                         cfg: dict | None) -> Tensor:
        """Points [N, num_points, 2] to learn from, x and y in [0, 1], for logits [N, C, h, w].

        The most uncertain ones of random points, then random points.
        `uncertainty_func`: [N, C, P] -> [N, 1, P].
        """
        settings, images = point_settings(self, 'train_cfg', cfg), seg_logits.size(0)
        wanted = settings['num_points']
        points = torch.rand(images, int(wanted * settings['oversample_ratio']), 2,
                            device=seg_logits.device)
        unsure = uncertainty_func(point_sample(seg_logits, points)).squeeze(1)
        important = int(settings['importance_sample_ratio'] * wanted)
        index = unsure.topk(important, dim=1)[1]
        chosen = points.gather(1, index.unsqueeze(2).expand(-1, -1, 2))
        if important == wanted:
            return chosen
        others = torch.rand(images, wanted - important, 2, device=seg_logits.device)
        return torch.cat([chosen, others], dim=1)

    def get_points_test(self, seg_logits: Tensor, uncertainty_func: Uncertainty,
                        cfg: dict | None) -> tuple[Tensor, Tensor]:
        """The most uncertain pixels of logits [N, C, h, w]: indices [N, P] and centres [N, P, 2].

        There are `subdivision_num_points` of them, or h * w where that is less.
        `uncertainty_func`: [N, C, h, w] -> [N, 1, h, w].
        """
        height, width = seg_logits.shape[2:]
        most = point_settings(self, 'test_cfg', cfg)['subdivision_num_points']
        index = uncertainty_func(seg_logits).flatten(1).topk(min(height * width, most), dim=1)[1]
        step_y, step_x = 1.0 / height, 1.0 / width
        x = step_x / 2.0 + (index % width).float() * step_x
        y = step_y / 2.0 + (index // width).float() * step_y
        return index, torch.stack([x, y], dim=2)
