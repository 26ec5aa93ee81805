"""A loss made with mmsegmentation's decorator."""
import torch.nn as nn
import torch.nn.functional as F

from mmseg.models.builder import LOSSES
from mmseg.models.losses.utils import weighted_loss


@weighted_loss
def soft_iou(pred, target, valid):
    """1 - IoU of each class, [N, C]."""
    pred, target = pred * valid, target * valid
    inter = (pred * target).sum(dim=(2, 3))
    union = (pred + target - pred * target).sum(dim=(2, 3))
    return 1 - (inter + 1) / (union + 1)


@LOSSES.register_module()
class SoftIoULoss(nn.Module):

    def __init__(self, reduction='mean', loss_weight=1.0):
        super().__init__()
        assert reduction in ('none', 'mean', 'sum')
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(self, pred, target, weight=None, avg_factor=None, reduction_override=None,
                **kwargs):
        reduction = reduction_override if reduction_override else self.reduction
        valid = (target != kwargs.get('ignore_index', 255)).unsqueeze(1).float()
        one_hot = F.one_hot(target.clamp(0, pred.size(1) - 1), pred.size(1))
        return self.loss_weight * soft_iou(
            F.softmax(pred, dim=1), one_hot.permute(0, 3, 1, 2).float(), weight,
            reduction=reduction, avg_factor=avg_factor, valid=valid)
