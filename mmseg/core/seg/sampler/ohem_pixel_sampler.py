"""Online hard example mining over pixels."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.utils.errors import ArgumentError, ConfigError

from ..builder import PIXEL_SAMPLERS, BasePixelSampler


@PIXEL_SAMPLERS.register_module()
class OHEMPixelSampler(BasePixelSampler):
    """Weight 1 for hard pixels, 0 for the others and the ignored ones (OHEM, arXiv:1604.03540).

    With `thresh`, a pixel is hard where the probability of its true class is below it; if these
    are fewer than `min_kept` pixels per image (over the whole batch), the threshold is raised to
    the probability at that rank. Without, the `min_kept` pixels per image with the largest loss
    are hard. `context` is the decode head, whose losses and ignore_index are used.

    Shapes never depend on the data, so that an accelerator never waits for the host.
    """

    def __init__(self, context: nn.Module, thresh: float | None = None,
                 min_kept: int = 100000) -> None:
        super().__init__()
        if min_kept <= 1:
            raise ArgumentError(f'OHEMPixelSampler: min_kept={min_kept} must be at least 2 pixels')
        self.context = context
        self.thresh = thresh
        self.min_kept = min_kept

    @torch.no_grad()
    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> Tensor:
        """Weights [N, H, W] for logits [N, C, H, W] and labels [N, 1, H, W]."""
        if seg_logit.shape[2:] != seg_label.shape[2:] or seg_label.shape[1] != 1:
            raise ArgumentError(f'OHEMPixelSampler: labels {list(seg_label.shape)} do not fit '
                                f'logits {list(seg_logit.shape)}: [N, 1, H, W] of the same size')
        label = seg_label.squeeze(1).long()
        valid = label != self.context.ignore_index
        kept = self.min_kept * label.size(0)
        if self.thresh is None:
            hard = _largest(self._pixel_losses(seg_logit, label), valid, kept)
        else:
            hard = _least_certain(seg_logit, label, valid, kept, self.thresh)
        return hard.to(seg_logit.dtype)

    def _pixel_losses(self, seg_logit: Tensor, label: Tensor) -> Tensor:
        losses = self.context.loss_decode
        total = 0
        for loss in losses if isinstance(losses, nn.ModuleList) else [losses]:
            value = loss(seg_logit, label, weight=None, ignore_index=self.context.ignore_index,
                         reduction_override='none')
            if value.dim() < 3:
                raise ConfigError(f'OHEMPixelSampler: {type(loss).__name__} has no loss of single '
                                  'pixels to rank them by: set `thresh`, or remove the sampler')
            # A sigmoid loss has one value per class.
            total = total + (value.sum(1) if value.dim() == 4 else value)
        return total


def _largest(losses: Tensor, valid: Tensor, kept: int) -> Tensor:
    """Mask [N, H, W] of the `kept` valid pixels with the largest loss."""
    candidates = losses.masked_fill(~valid, float('-inf')).flatten()
    _, chosen = candidates.topk(min(kept, candidates.numel()), sorted=False)
    hard = torch.zeros_like(candidates, dtype=torch.bool).scatter_(0, chosen, True)
    return hard.view_as(valid) & valid


def _least_certain(seg_logit: Tensor, label: Tensor, valid: Tensor, kept: int,
                   thresh: float) -> Tensor:
    """Mask [N, H, W] of the valid pixels whose true class has a probability below the threshold.

    It is `thresh`, or the probability of rank `kept` where that is larger.
    """
    if seg_logit.size(1) == 1:
        # Two logits whose softmax gives class 1 the sigmoid of the one.
        seg_logit = torch.cat([torch.zeros_like(seg_logit), seg_logit], dim=1)
    true_class = label.masked_fill(~valid, 0).unsqueeze(1)
    prob = F.softmax(seg_logit, dim=1).gather(1, true_class).squeeze(1)
    lowest, _ = prob.masked_fill(~valid, float('inf')).flatten().topk(
        min(kept + 1, prob.numel()), largest=False, sorted=True)
    rank = (valid.sum() - 1).clamp(0, kept)
    at_rank = lowest.gather(0, rank.unsqueeze(0))
    return valid & (prob < at_rank.clamp(min=thresh))
