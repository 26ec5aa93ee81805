"""The exponential moving average (EMA) of a model's weights."""
import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..parallel import is_module_wrapper
from ..utils.errors import CheckpointError
from .norm_statistics import is_running_statistic
from .precision.master_weights import MasterWeights


class WeightAverage:
    """Exponential moving average of the parameters, kept on their device.

    It begins as a copy of them. For parameters with a float32 master, the master is averaged.
    `buffers`: average the running statistics of norms too, instead of using the model's. The model
    is neither copied nor replaced, so that DDP, fused optimizers and compiled graphs stay valid.
    """

    def __init__(self, model: nn.Module, masters: MasterWeights | None = None,
                 buffers: bool = False) -> None:
        model = model.module if is_module_wrapper(model) else model
        master_of = masters.by_name() if masters is not None else {}
        names: dict[Tensor, list[str]] = {}  # tied weights have several
        for name, value in model.state_dict(keep_vars=True).items():
            if isinstance(value, nn.Parameter):
                names.setdefault(value, []).append(name)
        self._names = list(names.values())
        self._parameters = list(names)
        self._masters = [master_of.get(own[0], value) for value, own in names.items()]
        self._statistics = _running_statistics(model) if buffers else {}
        self._names += self._statistics.values()
        self._averages = [source.detach().clone() for source in self._sources()]

    def _sources(self) -> list[Tensor]:
        """The tensors that are averaged."""
        return self._masters + self._buffers()

    def _buffers(self) -> list[Tensor]:
        # Looked up each time, since a norm may replace the tensor.
        return [getattr(module, name) for module, name in self._statistics]

    def update(self, momentum: float) -> None:
        """average = (1 - momentum) * average + momentum * weights."""
        get_ema_multi_avg_fn(1 - momentum)(self._averages, self._sources(), None)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the model has the averaged weights; afterwards its own, bit for bit."""
        weights = self._parameters + self._buffers()
        own = [weight.detach().clone() for weight in weights]
        try:
            _copy(self._averages, weights)
            yield
        finally:
            _copy(own, weights)

    def set_statistics(self, values: Mapping[str, Tensor]) -> None:
        """Replace averaged running statistics by the given ones, by name."""
        for names, average in zip(self._names, self._averages, strict=True):
            if names[0] in values:
                average.copy_(values[names[0]])

    def put_into(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """A copy of the model's state_dict with the averages instead of the weights."""
        averaged = copy.copy(state_dict)
        for names, average in zip(self._names, self._averages, strict=True):
            averaged.update(dict.fromkeys(names, average))
        return averaged

    def load(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load averages of a checkpoint; CheckpointError if they do not fit the model."""
        for names, average in zip(self._names, self._averages, strict=True):
            found = state_dict.get(names[0])
            if found is None or found.shape != average.shape:
                shape = 'not in it' if found is None else f'of the shape {list(found.shape)}'
                raise CheckpointError(
                    f'the averaged weights of the checkpoint do not fit the model: {names[0]} is '
                    f'{shape}, {list(average.shape)} is needed. Use a checkpoint of this model, or '
                    'leave EMAHook out of custom_hooks')
        _copy([state_dict[names[0]] for names in self._names], self._averages)


def _running_statistics(model: nn.Module) -> dict[tuple[nn.Module, str], list[str]]:
    """(norm, name of the buffer) -> names in the state_dict, several if the norm is shared."""
    names: dict[tuple[nn.Module, str], list[str]] = {}
    saved = model.state_dict()
    for prefix, module in model.named_modules(remove_duplicate=False):
        for key, buffer in module._buffers.items():
            name = f'{prefix}.{key}' if prefix else key
            if buffer is not None and name in saved and is_running_statistic(module, key):
                names.setdefault((module, key), []).append(name)
    return names


@torch.no_grad()
def _copy(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    """Copy in place, since fused optimizers keep the addresses of the weights."""
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
