"""How a model is executed, with the same results: memory format and compilation."""
import inspect
import os
import shutil
from collections.abc import Mapping

import torch
from torch import nn

from mmcv_replace.device import is_asynchronous, prefers_channels_last
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

# Parts of a segmentor that are compiled; the losses between and behind them stay as they are.
PARTS = ('backbone', 'neck', 'decode_head', 'auxiliary_head')


def prepare_execution(model: nn.Module, cfg: Config, device: torch.device) -> nn.Module:
    """Apply `channels_last` and `compile` of the config to a model on its device."""
    wanted = cfg.get('channels_last')
    if wanted is None:
        wanted = prefers_channels_last(device)
    if wanted:
        # Convolutions follow the format of their weights, and what comes after follows them.
        model = model.to(memory_format=torch.channels_last)
    options = cfg.get('compile')
    if options is not None and options is not False:
        compile_parts(model, {} if options is True else options, device)
    return model


def compile_parts(model: nn.Module, options: Mapping[str, object], device: torch.device) -> None:
    """Let torch.compile make kernels for the parts of a model; its state dict keeps its keys.

    `options` are those of torch.compile (backend, mode, dynamic, fullgraph, options), and `parts`,
    names of sub-modules. Raises ConfigError for what is not known or cannot work here.
    """
    options = dict(options)
    parts = options.pop('parts', PARTS)
    _check(options, device)
    modules = [getattr(model, name, None) for name in parts]
    if not any(isinstance(module, nn.Module) for module in modules):
        raise ConfigError(f'compile = dict(parts={tuple(parts)}): the model has none of these; '
                          f'its parts are {", ".join(name for name, _ in model.named_children())}')
    for module in modules:
        # Auxiliary heads may come as a list, which is never called itself.
        for each in module if isinstance(module, nn.ModuleList) else [module]:
            if each is not None:
                each.compile(**options)


def _check(options: Mapping[str, object], device: torch.device) -> None:
    accepted = [name for name in inspect.signature(torch.compile).parameters
                if name not in ('model', 'disable', 'name')]
    unknown = set(options) - set(accepted)
    if unknown:
        raise ConfigError(f'compile = dict({", ".join(sorted(unknown))}=...) is not known: it '
                          f'takes parts, {", ".join(accepted)}')
    backend = options.get('backend', 'inductor')
    if isinstance(backend, str) and backend not in torch.compiler.list_backends(exclude_tags=()):
        raise ConfigError(f'compile = dict(backend={backend!r}) is not known: use one of '
                          f'{", ".join(torch.compiler.list_backends())}')
    compiler = os.environ.get('CXX') or 'g++'
    if backend == 'inductor' and not is_asynchronous(device) and shutil.which(compiler) is None:
        raise ConfigError(f'compile on the CPU needs a C++ compiler, and {compiler} is not '
                          'installed: install one (Debian: apt-get install g++), name one in CXX, '
                          'or leave out compile')
