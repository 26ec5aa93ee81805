"""Make a model compute faster or in less memory, with the same results up to rounding."""
import logging
import os
import shutil
from collections.abc import Mapping

import torch
from torch import nn

from mmcv_replace.cnn import fuse_conv_bn, use_host_norms, use_winograd
from mmcv_replace.cnn.utils.depthwise import split_depthwise
from mmcv_replace.cnn.utils.host_products import has_products
from mmcv_replace.cnn.utils.pointwise_conv import PointwiseConv2d, use_products
from mmcv_replace.cnn.utils.prelu import host_prelu
from mmcv_replace.cnn.utils.winograd_conv import WinogradConv2d, keep_large_kernels
from mmcv_replace.device import is_asynchronous, kind_of
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.runner import precision_from_config
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

logger = logging.getLogger('mmseg.acceleration')

# Parts of a segmentor that are compiled; the losses are not.
PARTS = ('backbone', 'neck', 'decode_head', 'auxiliary_head')
# Packages whose layers take maps in any memory format; those of others may ask for views of them.
FORMAT_FREE = ('torch', 'mmcv_replace', 'mmseg')


def prepare_training(model: nn.Module, cfg: Config, device: torch.device) -> nn.Module:
    """Apply `winograd`, `recompute_norms`, `channels_last` and `compile` of the config to a model.

    Unless the config sets them, the device chooses the first three, and the precision and the
    backbone's `host_channels_last` also `channels_last`. Changes the model in place and returns it.
    """
    if _choice(cfg, 'recompute_norms', not is_asynchronous(device)):
        for module in model.modules():
            if hasattr(module, 'recompute_norms'):
                module.recompute_norms = True
    model = _fit_convolutions(model, cfg, device)
    options = cfg.get('compile')
    if options is not None and options is not False:
        compile_parts(model, {} if options is True else options, device)
    return model


def choose_norms(model: nn.Module, cfg: Config, device: torch.device) -> nn.Module:
    """Apply `host_norms` of the config, by default for a host, to a model without SyncBN layers.

    `wrap_model` takes those away. Changes the model in place and returns it.
    """
    if _choice(cfg, 'host_norms', not is_asynchronous(device)):
        use_host_norms(model)
    return model


def prepare_inference(model: nn.Module, cfg: Config, device: torch.device,
                      keep_keys: bool = False) -> nn.Module:
    """Fold batch norms and choose algorithm and memory format for a model with loaded weights.

    `fuse_conv_bn` of the config: True folds the batch norms of every module, False none; by
    default, only modules that declare the order of their children (see `fuse_conv_bn`). With
    `keep_keys` the model is for code of users: by default, none are folded, since that changes the
    state dict, and on a host it has the memory format of training, since such code may ask for
    views of maps and weights. Changes the model in place.
    """
    if _choice(cfg, 'fuse_conv_bn', not keep_keys):
        fuse_conv_bn(model.eval(), declared_only=cfg.get('fuse_conv_bn') is None)
    return _fit_convolutions(model, cfg, device, only_predicts=not keep_keys)


def _fit_convolutions(model: nn.Module, cfg: Config, device: torch.device,
                      only_predicts: bool = False) -> nn.Module:
    """Choose the convolutions' algorithm and the memory format."""
    if _choice(cfg, 'winograd', not is_asynchronous(device)):
        for replace in (use_winograd, use_products, split_depthwise, host_prelu):
            replace(model)
    return _fit_memory_format(model, cfg, device,
                              precision_from_config(cfg, device).computing_dtype, only_predicts)


def fit_autocast(model: nn.Module, cfg: Config) -> None:
    """Choose the memory format again for a caller that runs the model under torch.autocast.

    The config does not show this precision.
    """
    device = device_of(model)
    if torch.is_autocast_enabled(device.type):
        _fit_memory_format(model, cfg, device, torch.get_autocast_dtype(device.type))


def _fit_memory_format(model: nn.Module, cfg: Config, device: torch.device,
                       dtype: torch.dtype, only_predicts: bool = False) -> nn.Module:
    reason = kind_of(device).channels_last(dtype)
    if reason is None and dtype == torch.float32 and not is_asynchronous(device):
        reason = _reason_of_model(model) or (_reason_of_products(model) if only_predicts else None)
    if not _choice(cfg, 'channels_last', reason is not None) or all(
            weight.is_contiguous(memory_format=torch.channels_last)
            for weight in model.parameters() if weight.dim() == 4):
        return model
    if cfg.get('channels_last') is None:
        logger.info('the model runs in channels_last for %s: %s (channels_last=False keeps the '
                    'plain format)', str(dtype).removeprefix('torch.'), reason)
    # Convolutions give maps in the format of their weights, and later layers keep the format.
    model.to(memory_format=torch.channels_last)
    return keep_large_kernels(model) if dtype == torch.float32 else model


def _reason_of_model(model: nn.Module) -> str | None:
    """Why a host computes this model faster in channels_last, if it does."""
    backbone = getattr(model, 'backbone', model)
    convs = [layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d)]
    depthwise = sum(conv.groups == conv.in_channels > 1 for conv in convs)
    if 0 < len(convs) <= 5 * depthwise:  # as in MobileNets
        return 'its depthwise convolutions are faster in this memory format'
    return getattr(backbone, 'host_channels_last', None)


def _reason_of_products(model: nn.Module) -> str | None:
    """Why a host predicts faster in channels_last, if it does.

    A product then adds the bias, and a tile of Winograd's algorithm takes its pixels in order.
    """
    gains = any(isinstance(layer, WinogradConv2d | PointwiseConv2d) for layer in model.modules())
    known = all(type(layer).__module__.split('.')[0] in FORMAT_FREE for layer in model.modules())
    if gains and known and has_products():
        return 'its convolutions without gradients are faster in this memory format'
    return None


def _choice(cfg: Config, key: str, default: bool) -> bool:
    return default if cfg.get(key) is None else cfg[key]


def compile_parts(model: nn.Module, options: Mapping[str, object], device: torch.device) -> None:
    """Compile parts of a model by torch.compile; its state dict keeps its keys.

    `options`: arguments of torch.compile (backend, mode, dynamic, fullgraph, options), and `parts`,
    the names of the sub-modules to compile. Raises ConfigError for an unknown backend, mode or
    part, and where the host lacks the compiler.
    """
    options = dict(options)
    parts = options.pop('parts', PARTS)
    _check_backend(options.get('backend', 'inductor'), device)
    modules = [getattr(model, name, None) for name in parts]
    if not any(isinstance(module, nn.Module) for module in modules):
        raise ConfigError(f'compile = dict(parts={tuple(parts)}): the model has none of these; '
                          f'its parts are {", ".join(name for name, _ in model.named_children())}')
    for module in modules:
        # Auxiliary heads may come as a list, which is never called itself.
        for each in module if isinstance(module, nn.ModuleList) else [module]:
            if each is not None:
                try:
                    each.compile(**options)
                except RuntimeError as error:  # an unknown mode or option of the backend
                    raise ConfigError(f'compile = {options}: {error}') from error


def _check_backend(backend: object, device: torch.device) -> None:
    if isinstance(backend, str) and backend not in torch.compiler.list_backends(exclude_tags=()):
        raise ConfigError(f'compile = dict(backend={backend!r}) is not known: use one of '
                          f'{", ".join(torch.compiler.list_backends())}')
    compiler = os.environ.get('CXX') or 'g++'
    if backend == 'inductor' and not is_asynchronous(device) and shutil.which(compiler) is None:
        raise ConfigError(f'compile on the CPU needs a C++ compiler, and {compiler} is not '
                          'installed: install one (Debian: apt-get install g++), name one in CXX, '
                          'or leave out compile')
