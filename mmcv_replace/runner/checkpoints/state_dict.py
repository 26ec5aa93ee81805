"""State dicts of models in which any module may stand in a wrapper, such as DataParallel."""
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _IncompatibleKeys

from ...parallel import is_module_wrapper

EXTRA = '_extra_state'  # end of the keys whose values need not be tensors


def get_state_dict(module: nn.Module, destination: dict[str, Any] | None = None, prefix: str = '',
                   keep_vars: bool = False) -> dict[str, Any]:
    """The state of a model, as if no module in it had a wrapper.

    Entries are added to `destination`, by default a new OrderedDict, with `prefix` before their
    names. `keep_vars`: keep parameters and their gradients instead of detached tensors.
    """
    inner = _unwrapped(module)
    wrappers = [name for name, child in inner.named_modules() if name and is_module_wrapper(child)]
    # Inner ones first, for their names begin with those of the outer ones.
    starts = sorted((f'{prefix}{name}.module' for name in wrappers), key=len, reverse=True)
    state = inner.state_dict(prefix=prefix, keep_vars=keep_vars)

    def shortened(key: str) -> str:
        for start in starts:
            if f'{key}.'.startswith(f'{start}.'):
                key = start.removesuffix('.module') + key.removeprefix(start)
        return key

    result = OrderedDict() if destination is None else destination
    result.update((shortened(key), value) for key, value in state.items())
    metadata = {shortened(key): value for key, value in state._metadata.items()
                if key not in {start.removesuffix('.module') for start in starts}}
    if destination is None:
        result._metadata = OrderedDict(metadata)
    elif hasattr(destination, '_metadata'):
        destination._metadata.update(metadata)
    return result


def weights_to_cpu(state_dict: Mapping[str, Tensor]) -> 'OrderedDict[str, Tensor]':
    """The state with its tensors in host memory; versions of modules are kept."""
    on_host = OrderedDict((key, value.cpu()) for key, value in state_dict.items())
    on_host._metadata = getattr(state_dict, '_metadata', OrderedDict())
    return on_host


def _unwrapped(module: nn.Module) -> nn.Module:
    return module.module if is_module_wrapper(module) else module


@dataclass
class Loaded:
    """What became of a state that was loaded; `errors` are torch's texts."""

    state: dict[str, Any]  # as modules have converted it
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def load_into(module: nn.Module, state_dict: Mapping[str, Any]) -> Loaded:
    """Load all that fits, module by module, so that each may convert the state of an older version.

    Values that are no tensors count as absent, and as unexpected.
    """
    state = OrderedDict((key, value) for key, value in state_dict.items()
                        if isinstance(value, Tensor) or str(key).endswith(EXTRA))
    others = [str(key) for key in state_dict if key not in state]
    result = Loaded(state)
    _load(module, '', getattr(state_dict, '_metadata', {}), result)
    # What looked like of no use in a module may have been converted by a child of it.
    result.unexpected = [key for key in result.unexpected if key in state] + others
    return result


@torch.no_grad()
def _load(module: nn.Module, prefix: str, metadata: Mapping[str, Any], result: Loaded) -> None:
    module = _unwrapped(module)
    missing, unexpected = [], []
    module._load_from_state_dict(result.state, prefix, metadata.get(prefix[:-1], {}), True,
                                 missing, unexpected, result.errors)
    for name, child in module._modules.items():
        if child is not None:
            _load(child, f'{prefix}{name}.', metadata, result)
    for hook in module._load_state_dict_post_hooks.values():
        hook(module, _IncompatibleKeys(missing, unexpected))
    result.missing += missing
    result.unexpected += [key for key in unexpected if key not in result.unexpected]
