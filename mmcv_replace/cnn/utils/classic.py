"""What AlexNet, VGG and ResNet share: first weights, and parts that are not trained."""
import logging

from torch import nn

from mmcv_replace.utils.errors import ArgumentError

from .layer_init import constant_init, kaiming_init


def load_pretrained(module: nn.Module, pretrained: str | None) -> bool:
    """Load the weights of the checkpoint `pretrained`; returns False where that is None.

    Raises ArgumentError for anything but a path, a URL or None.
    """
    if pretrained is None:
        return False
    if not isinstance(pretrained, str):
        raise ArgumentError(f'pretrained={pretrained!r} must be the path or URL of a checkpoint, '
                            'or None')
    # Late, because the runner package imports this one.
    from mmcv_replace.runner import load_checkpoint
    load_checkpoint(module, pretrained, strict=False, logger=logging.getLogger('mmseg'))
    return True


def draw_weights(module: nn.Module) -> None:
    """Draw Kaiming convolutions, and set norms to 1."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            kaiming_init(part)
        elif isinstance(part, nn.BatchNorm2d):
            constant_init(part, 1)


def freeze(module: nn.Module) -> None:
    """Stop the training of a part: eval mode, and no gradients."""
    module.eval().requires_grad_(False)


def hold_norms(module: nn.Module, frozen: bool) -> None:
    """Let batch norms keep their running statistics; with `frozen` their weights, too."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eval()
            if frozen:
                norm.requires_grad_(False)
