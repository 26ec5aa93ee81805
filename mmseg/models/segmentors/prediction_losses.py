"""The losses of what a model predicts, for an evaluation."""
import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.core import is_own, takes

from ..decode_heads.decode_head import BaseDecodeHead
from .base import BaseSegmentor

PROBE = 8  # height and width of the logits with which a head is tried


class PredictionLosses(BaseSegmentor):
    """The part of a segmentor with a decode head, or a list of them, that is about such losses."""

    @property
    def predicting_head(self) -> nn.Module | None:
        """The head whose logits are the prediction: the only one, or the last of a cascade."""
        head = getattr(self, 'decode_head', None)
        return head[-1] if isinstance(head, nn.ModuleList) else head

    def prediction_losses(self, logits: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Losses of logits [1, out_channels, h, w] at the size of labels [1, 1, H, W], by name.

        They are the `prediction_losses` of the head that predicts; 'loss' is the sum of those that
        have this word in their name.
        """
        losses = self.predicting_head.prediction_losses(logits, label)
        return {name: value for name, value in self._parse_losses(losses)[1].items()
                if not name.startswith('acc')}

    def check_prediction_losses(self) -> list[str]:
        """Names of these losses; ConfigError, with the reason, where they cannot be computed."""
        name, head = type(self).__name__, self.predicting_head
        if not isinstance(head, BaseDecodeHead):
            raise _refusal(f'the decode_head of {name} is of the type {type(head).__name__}, which '
                           'has no losses of logits: derive it from BaseDecodeHead')
        if is_own(self, 'inference'):
            raise _refusal(f'{name} predicts by an `inference` of its own, which gives '
                           'probabilities, and a loss needs logits')
        if not takes(self.simple_test, 'on_logits'):
            raise _refusal(f'simple_test of {name} does not give the logits: let it take '
                           'on_logits=None, and call on_logits(i, logits) for image i of the batch')
        first = next(self.parameters())
        logits = first.new_zeros(1, self.out_channels, PROBE, PROBE)
        label = torch.zeros(1, 1, PROBE, PROBE, dtype=torch.uint8, device=first.device)
        try:
            with torch.no_grad():
                return [*self.prediction_losses(logits, label)]
        except Exception as error:
            raise _refusal(f'the losses of {type(head).__name__} cannot be computed from logits '
                           f'and labels alone ({type(error).__name__}: {error}); give it a '
                           'method prediction_losses(logits, label)') from error


def _refusal(reason: str) -> ConfigError:
    return ConfigError(f'val_loss=True: {reason}, or leave val_loss out')
