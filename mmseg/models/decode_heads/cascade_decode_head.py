"""Heads that refine the output of another head."""
from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from mmseg.core import standard

from .decode_head import BaseDecodeHead


class BaseCascadeDecodeHead(BaseDecodeHead):
    """Base of the heads that get the logits [N, C, h, w] of the head before them as `prev_output`.

    CascadeEncoderDecoder trains and runs them after that head.
    """

    @abstractmethod
    def forward(self, inputs: Sequence[Tensor], prev_output: Tensor) -> Tensor:
        """Logits [N, out_channels, h, w] from the backbone's maps and the previous logits."""

    @standard
    def forward_train(self, inputs: Sequence[Tensor], prev_output: Tensor,
                      img_metas: Sequence[dict], gt_semantic_seg: Tensor,
                      train_cfg: dict | None) -> dict[str, Tensor]:
        """Losses for labels [N, 1, H, W]."""
        return self.losses(self(inputs, prev_output), gt_semantic_seg)

    @standard
    def forward_test(self, inputs: Sequence[Tensor], prev_output: Tensor,
                     img_metas: Sequence[dict] | None, test_cfg: dict | None) -> Tensor:
        """Logits for prediction."""
        return self(inputs, prev_output)
