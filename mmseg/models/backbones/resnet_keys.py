"""Bring ResNet weights from elsewhere to our keys and our number of input channels."""
import logging
import math
import re

from torch import Tensor

_CLASSIFIER = re.compile(r'(fc|head)\.')


def adapt_resnet_state_dict(
    state_dict: dict[str, Tensor], stem_key: str, in_channels: int
) -> dict[str, Tensor]:
    """Rename to the keys of our ResNet, and fit the first convolution to `in_channels`.

    Accepts torchvision's names, timm's of the deep-stem variants (resnet50c, resnet50d, ...),
    a classifier with a head, and a whole segmentor, of which the backbone is taken. `stem_key` is
    the key of our first convolution's weight.
    """
    if any(key.startswith('backbone.') for key in state_dict):
        state_dict = {key.removeprefix('backbone.'): value for key, value in state_dict.items()
                      if key.startswith('backbone.')}
    state_dict = {key: value for key, value in state_dict.items() if not _CLASSIFIER.match(key)}
    # In timm the deep stem is `conv1`, a Sequential of six layers, followed by `bn1`.
    if 'conv1.0.weight' in state_dict:
        state_dict = {re.sub(r'^bn1\.', 'stem.7.', re.sub(r'^conv1\.', 'stem.', key)): value
                      for key, value in state_dict.items()}
    if stem_key in state_dict:
        state_dict[stem_key] = _fit_input_channels(state_dict[stem_key], in_channels)
    return state_dict


def _fit_input_channels(weight: Tensor, in_channels: int) -> Tensor:
    """Weights of a first convolution on RGB, for another number of channels.

    One channel gets the sum over RGB (an image of three equal channels gives the same output);
    more channels repeat RGB, scaled so that the output keeps its size.
    """
    if weight.size(1) != 3 or in_channels == 3:
        return weight
    logging.getLogger('mmseg.models').info(
        'first convolution: weights for 3 input channels fitted to %d', in_channels)
    if in_channels == 1:
        return weight.sum(1, keepdim=True)
    repeated = weight.repeat(1, math.ceil(in_channels / 3), 1, 1)[:, :in_channels]
    return repeated * (3 / in_channels)
