"""A segmentor whose heads refine each other's logits."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.runner import ModuleList
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import add_prefix, is_own

from ..builder import SEGMENTORS, build_head
from ..decode_heads import BaseCascadeDecodeHead, BaseDecodeHead
from .encoder_decoder import EncoderDecoder
from .find_heads import select_targets


@SEGMENTORS.register_module()
class CascadeEncoderDecoder(EncoderDecoder):
    """EncoderDecoder with a list of `num_stages` decode heads; the last one predicts.

    The first head gets the maps, each further one, a BaseCascadeDecodeHead, also the logits of the
    head before it. All are trained; the losses of head i are called decode_i.loss_seg and so on.

    In training a head runs a second time for its successor, as in mmsegmentation: with another draw
    of dropout, and twice the step of its batch norms' running statistics. `share_logits=True` is
    faster: the losses and the successor take the same logits; the gradients are the same without
    dropout. A head with a `forward_train` or `forward_test` of its own is always run twice.
    """

    def __init__(self, num_stages: int, backbone: dict, decode_head: Sequence[dict],
                 *args: object, share_logits: bool = False, **kwargs: object) -> None:
        self._check_stages(num_stages, decode_head)
        super().__init__(backbone, decode_head, *args, **kwargs)
        self.num_stages = num_stages
        self.share_logits = share_logits

    def _check_stages(self, num_stages: int, decode_head: Sequence[dict]) -> None:
        name = type(self).__name__
        if not isinstance(decode_head, list | tuple):
            raise ConfigError(f'{name}: decode_head must be a list of num_stages={num_stages} '
                              'heads; for a single head use EncoderDecoder')
        if num_stages < 1 or len(decode_head) != num_stages:
            raise ConfigError(f'{name}: num_stages={num_stages} must be the number of heads in the '
                              f'list decode_head, which has {len(decode_head)}')

    def _init_decode_head(self, decode_head: Sequence[dict]) -> None:
        self.decode_head = ModuleList(
            [self._build_head(cfg) if i == 0 else self._build_stage(i, cfg)
             for i, cfg in enumerate(decode_head)])
        self._take_output(self.decode_head[-1])

    def _build_stage(self, index: int, cfg: dict) -> nn.Module:
        head = build_head(cfg)
        if isinstance(head, BaseDecodeHead) and not isinstance(head, BaseCascadeDecodeHead):
            raise ConfigError(f'{type(self).__name__}: decode_head.{index} is a '
                              f'{type(head).__name__}, which does not take the logits of the head '
                              'before it: use a head such as OCRHead there, or make it an '
                              'auxiliary_head')
        return head

    @property
    def threshold(self) -> float | None:
        """Probability above which class 1 is predicted, if the last head has one logit."""
        return getattr(self.decode_head[-1], 'threshold', None)

    def _decode_head_forward_train(self, x: Sequence[Tensor], img_metas: Sequence[dict],
                                   gt_semantic_seg: Tensor, **targets: Tensor
                                   ) -> dict[str, Tensor]:
        losses, previous = {}, ()
        for i, head in enumerate(self.decode_head):
            last = i == len(self.decode_head) - 1
            if not last and self.share_logits and _trains_on_its_logits(head):
                logits = head(x, *previous)
                own = head.losses(logits, gt_semantic_seg)
            else:
                own = head.forward_train(x, *previous, img_metas, gt_semantic_seg, self.train_cfg,
                                         **select_targets(head, targets))
                logits = None if last else head.forward_test(x, *previous, img_metas,
                                                             self.test_cfg)
            losses.update(add_prefix(own, f'decode_{i}'))
            previous = (logits,)
        return losses

    def _decode_head_forward_test(self, x: Sequence[Tensor],
                                  img_metas: Sequence[dict] | None) -> Tensor:
        previous: tuple[Tensor, ...] = ()
        for head in self.decode_head:
            previous = (head.forward_test(x, *previous, img_metas, self.test_cfg),)
        return previous[0]


def _trains_on_its_logits(head: nn.Module) -> bool:
    """Whether `forward_train` is `losses` of the logits, and `forward_test` the logits."""
    return isinstance(head, BaseDecodeHead) and not (
        head.extra_targets or is_own(head, 'forward_train') or is_own(head, 'forward_test'))
