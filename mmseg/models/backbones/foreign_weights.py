"""Bring a backbone's weights from elsewhere to its own keys and number of input channels."""
import logging
import math
import re
from collections.abc import Mapping, Sequence

from torch import Tensor

KeyRules = Sequence[tuple[str, str]]  # (regular expression, replacement)

_CLASSIFIER = re.compile(r'(fc|head)\.')


def adapt_weights(state_dict: Mapping[str, Tensor], rules: Mapping[str, KeyRules],
                  first_convolution: str | None, in_channels: int) -> dict[str, Tensor]:
    """The weights of `state_dict` that belong to a backbone, under the backbone's keys.

    Accepts a whole segmentor, of which the part `backbone.` is taken, and a classifier, whose last
    layer is dropped. `rules`: a key that only files of another toolkit have -> how to rename the
    keys of such files; {'conv1.0.weight': [(r'^conv1\\.', 'stem.')]} renames the stem where
    `conv1.0.weight` exists. `first_convolution` is the key of the weights [O, C, kh, kw] to fit to
    `in_channels`.
    """
    if any(key.startswith('backbone.') for key in state_dict):
        state_dict = {key.removeprefix('backbone.'): value for key, value in state_dict.items()
                      if key.startswith('backbone.')}
    weights = {key: value for key, value in state_dict.items() if not _CLASSIFIER.match(key)}
    for mark, replacements in rules.items():
        if mark in weights:
            for pattern, replacement in replacements:
                weights = {re.sub(pattern, replacement, key): value
                           for key, value in weights.items()}
    if first_convolution in weights:
        weights[first_convolution] = _fit_input_channels(weights[first_convolution], in_channels)
    return weights


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
