"""The ways in which mmsegmentation 0.10 gives a model its first weights."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.runner import BaseModule
from mmcv_replace.utils.errors import ConfigTypeError
from mmseg.core import takes

SAMPLES = 1024
STEP = 2654435761  # a prime number, 2**32 times the golden section


class StartingModule(BaseModule):
    """BaseModule whose `init_weights` also takes the file to start from."""

    def init_weights(self, pretrained: str | os.PathLike | None = None) -> None:
        """Draw the weights as `init_cfg` says, or load those of the file `pretrained`.

        A further call does nothing, unless it names a file. Raises ConfigTypeError for anything
        that is no file name.
        """
        if pretrained is not None:
            if not isinstance(pretrained, str | os.PathLike):
                raise ConfigTypeError(f'{type(self).__name__}: pretrained={pretrained!r} must be '
                                      'the name of a file with weights, or None')
            self.init_cfg = dict(type='Pretrained', checkpoint=os.fspath(pretrained))
            self._is_init = False
        super().init_weights()


@contextmanager
def starting_from(module: nn.Module | None, pretrained: str | os.PathLike | None
                  ) -> Iterator[None]:
    """A block in which `module.init_weights()`, if it takes a file, gets `pretrained`."""
    method = getattr(module, 'init_weights', None)
    if pretrained is None or method is None or not takes(method, 'pretrained'):
        yield
        return
    # An attribute of the object, which hides the method of its class.
    module.init_weights = partial(method, pretrained=pretrained)
    try:
        yield
    finally:
        del module.init_weights


class WrittenWeights:
    """Parameters of a model as they are now, to tell later which of them have been written to.

    torch counts what is written; what is written through `.data` is found by values from places all
    over each parameter. A model whose values are not drawn yet, see DeferredInit, has none.
    """

    def __init__(self, model: nn.Module) -> None:
        self._versions = _versions(model)
        self._values = {} if DeferredInit.active else _values(model)

    def since(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """Copies of the parameters that were written to, replaced or added since.

        In a copy of the model these are all.
        """
        versions, values = _versions(model), _values(model)
        return {name: parameter.detach().clone() for name, parameter in model.named_parameters()
                if versions[name] != self._versions.get(name)
                or not _equal(self._values.get(name), values.get(name))}


def _versions(model: nn.Module) -> dict[str, tuple[int, int]]:
    return {name: (id(parameter), parameter._version)
            for name, parameter in model.named_parameters()}


def _values(model: nn.Module) -> dict[str, torch.Tensor]:
    """Up to SAMPLES values of each parameter, on the host."""
    return {name: parameter.detach().flatten()[_places(parameter.numel())].cpu()
            for name, parameter in model.named_parameters() if not parameter.is_meta}


def _places(number: int) -> torch.Tensor:
    # A prime step visits rows, columns and channels of all shapes alike.
    return torch.arange(number) if number <= SAMPLES else torch.arange(SAMPLES) * STEP % number


def _equal(before: torch.Tensor | None, now: torch.Tensor | None) -> bool:
    """Whether values are equal, in the present type; those that are unknown count as such."""
    return before is None or now is None or torch.allclose(
        before.to(now.dtype), now, rtol=0, atol=0, equal_nan=True)
