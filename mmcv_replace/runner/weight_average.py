"""The moving average of a model's weights."""
import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..parallel import is_module_wrapper
from ..utils.errors import CheckpointError
from .master_weights import MasterWeights


class WeightAverage:
    """Exponential moving average of the parameters, kept on their device.

    It begins as a copy of them. Parameters with a float32 master are averaged by that. Buffers are
    those of the model, unless `buffers` averages the floating-point ones too (running statistics;
    counters never). The model itself is neither copied nor replaced: DDP, fused optimizers and
    compiled graphs keep what they know of it.
    """

    def __init__(self, model: nn.Module, masters: MasterWeights | None = None,
                 buffers: bool = False) -> None:
        model = model.module if is_module_wrapper(model) else model
        master_of = masters.by_name() if masters is not None else {}
        places: dict[Tensor, list[str]] = {}  # tied weights have several names
        for name, value in model.state_dict(keep_vars=True).items():
            if isinstance(value, nn.Parameter) or (buffers and value.is_floating_point()):
                places.setdefault(value, []).append(name)
        self._names = list(places.values())
        self._weights = list(places)
        self._sources = [master_of.get(names[0], value) for value, names in places.items()]
        self._averages = [source.detach().clone() for source in self._sources]

    def update(self, momentum: float) -> None:
        """average = (1 - momentum) * average + momentum * weights."""
        get_ema_multi_avg_fn(1 - momentum)(self._averages, self._sources, None)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the model has the averaged weights; afterwards its own, bit for bit."""
        own = [weight.detach().clone() for weight in self._weights]
        try:
            _copy(self._averages, self._weights)
            yield
        finally:
            _copy(own, self._weights)

    def put_into(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """A model's state_dict with the averages in the place of the weights; nothing is copied."""
        averaged = copy.copy(state_dict)
        for names, average in zip(self._names, self._averages, strict=True):
            averaged.update(dict.fromkeys(names, average))
        return averaged

    def load(self, state_dict: Mapping[str, Tensor]) -> None:
        """Go on with the averages of a checkpoint; CheckpointError unless they fit the model."""
        for names, average in zip(self._names, self._averages, strict=True):
            found = state_dict.get(names[0])
            if found is None or found.shape != average.shape:
                shape = 'not in it' if found is None else f'of the shape {list(found.shape)}'
                raise CheckpointError(
                    f'the averaged weights of the checkpoint do not fit the model: {names[0]} is '
                    f'{shape}, {list(average.shape)} is needed. Use a checkpoint of this model, or '
                    'leave EMAHook out of custom_hooks')
        _copy([state_dict[names[0]] for names in self._names], self._averages)


@torch.no_grad()
def _copy(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    """In place: fused optimizers keep the addresses of the weights."""
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
