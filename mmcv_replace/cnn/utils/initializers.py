"""`init_cfg`: how the weights of a module are drawn, said in the config.

    init_cfg=[dict(type='Kaiming', layer='Conv2d'),
              dict(type='Constant', val=1, layer='BatchNorm2d')]
    init_cfg=dict(type='Normal', std=0.01, override=dict(name='conv_seg'))

`layer` names classes (or their bases) anywhere inside the module; `override` treats one attribute
of the module differently, all of it.
"""
import logging
import os
from collections.abc import Callable, Mapping, Sequence

from torch import nn

from mmcv_replace.utils import Registry, build_from_cfg
from mmcv_replace.utils.errors import CheckpointError, ConfigError

from . import weight_init

INITIALIZERS = Registry('initializer', Callable)


class BaseInit:
    """Draw the weights of the layers that `layer` names; of every layer when `whole_module`.

    `bias_prob` sets the bias so that a sigmoid starts at that probability.
    """

    needs_fan = False  # whether the scheme is defined for weights of two dimensions and more only

    def __init__(self, bias: float = 0, bias_prob: float | None = None,
                 layer: str | Sequence[str] | None = None) -> None:
        self.layers = {layer} if isinstance(layer, str) else set(layer or ())
        self.bias = bias if bias_prob is None else weight_init.bias_init_with_prob(bias_prob)
        self.whole_module = False

    def draw(self, module: nn.Module) -> None:
        """Draw the weights of one layer."""
        raise NotImplementedError

    def _draw_if_chosen(self, module: nn.Module) -> None:
        if self.whole_module:
            weight = getattr(module, 'weight', None)
            chosen = not self.needs_fan or (weight is not None and weight.dim() >= 2)
        else:
            chosen = any(cls.__name__ in self.layers for cls in type(module).__mro__)
        if chosen:
            self.draw(module)

    def __call__(self, module: nn.Module) -> None:
        module.apply(self._draw_if_chosen)


@INITIALIZERS.register_module(name='Constant')
class ConstantInit(BaseInit):
    """Every weight `val`."""

    def __init__(self, val: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.val = val

    def draw(self, module: nn.Module) -> None:
        weight_init.constant_init(module, self.val, self.bias)


@INITIALIZERS.register_module(name='Xavier')
class XavierInit(BaseInit):
    """See `xavier_init`."""

    needs_fan = True

    def __init__(self, gain: float = 1, distribution: str = 'normal', **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.gain = gain
        self.distribution = distribution

    def draw(self, module: nn.Module) -> None:
        weight_init.xavier_init(module, self.gain, self.bias, self.distribution)


@INITIALIZERS.register_module(name='Normal')
class NormalInit(BaseInit):
    """See `normal_init`."""

    def __init__(self, mean: float = 0, std: float = 1, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std

    def draw(self, module: nn.Module) -> None:
        weight_init.normal_init(module, self.mean, self.std, self.bias)


@INITIALIZERS.register_module(name='TruncNormal')
class TruncNormalInit(BaseInit):
    """See `trunc_normal_init`."""

    def __init__(self, mean: float = 0, std: float = 1, a: float = -2, b: float = 2,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std
        self.a = a
        self.b = b

    def draw(self, module: nn.Module) -> None:
        weight_init.trunc_normal_init(module, self.mean, self.std, self.a, self.b, self.bias)


@INITIALIZERS.register_module(name='Uniform')
class UniformInit(BaseInit):
    """See `uniform_init`."""

    def __init__(self, a: float = 0, b: float = 1, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.b = b

    def draw(self, module: nn.Module) -> None:
        weight_init.uniform_init(module, self.a, self.b, self.bias)


@INITIALIZERS.register_module(name='Kaiming')
class KaimingInit(BaseInit):
    """See `kaiming_init`."""

    needs_fan = True

    def __init__(self, a: float = 0, mode: str = 'fan_out', nonlinearity: str = 'relu',
                 distribution: str = 'normal', **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.mode = mode
        self.nonlinearity = nonlinearity
        self.distribution = distribution

    def draw(self, module: nn.Module) -> None:
        weight_init.kaiming_init(module, self.a, self.mode, self.nonlinearity, self.bias,
                                 self.distribution)


@INITIALIZERS.register_module(name='Caffe2Xavier')
class Caffe2XavierInit(KaimingInit):
    """See `caffe2_xavier_init`."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(a=1, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform',
                         **kwargs)


@INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit:
    """Load weights from a file, URL, or `open-mmlab://` or `torchvision://` name.

    `prefix` takes the part of the checkpoint under it ('backbone.' of a whole model). Keys pass
    through the module's `adapt_state_dict`, where it has one; what does not fit is reported.
    """

    def __init__(self, checkpoint: str | os.PathLike, prefix: str | None = None,
                 map_location: str = 'cpu') -> None:
        self.checkpoint = os.fspath(checkpoint)
        self.prefix = prefix
        self.map_location = map_location

    def _under_prefix(self, state: Mapping) -> dict:
        prefix = self.prefix if self.prefix.endswith('.') else f'{self.prefix}.'
        found = {key.removeprefix(prefix): value for key, value in state.items()
                 if key.startswith(prefix)}
        if not found:
            raise CheckpointError(f'{self.checkpoint}: no key begins with prefix {prefix!r}; '
                                  f'the first keys are {list(state)[:3]}')
        return found

    def __call__(self, module: nn.Module) -> None:
        # The runner package needs this one.
        from mmcv_replace.runner.checkpoint import (
            _load_checkpoint,
            get_state_dict,
            load_state_dict,
        )
        logger = logging.getLogger('mmseg')
        logger.info('loading weights of %s from %s', type(module).__name__, self.checkpoint)
        state = get_state_dict(_load_checkpoint(self.checkpoint, self.map_location))
        state = {key.removeprefix('module.'): value for key, value in state.items()}
        if self.prefix is not None:
            state = self._under_prefix(state)
        if hasattr(module, 'adapt_state_dict'):
            state = module.adapt_state_dict(state)
        load_state_dict(module, state, logger=logger, source=self.checkpoint)


def _initialize_override(module: nn.Module, override: dict | Sequence[dict], cfg: dict) -> None:
    for item in [override] if isinstance(override, Mapping) else override:
        own = dict(item)
        name = own.pop('name', None)
        if name is None:
            raise ConfigError(f"init_cfg override {dict(item)} lacks 'name': the attribute of "
                              f'{type(module).__name__} to treat')
        if own and 'type' not in own:
            raise ConfigError(f"init_cfg override {dict(item)} lacks 'type': give the "
                              'initializer too, or the name alone to use the outer one')
        if not hasattr(module, name):
            raise ConfigError(f'init_cfg override {dict(item)}: {type(module).__name__} has no '
                              f'attribute {name!r}')
        initializer = build_from_cfg(own or cfg, INITIALIZERS)
        initializer.whole_module = True
        initializer(getattr(module, name))


def initialize(module: nn.Module, init_cfg: dict | Sequence[dict]) -> None:
    """Draw or load the weights of `module` as one initializer config, or each of several, says."""
    for item in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg:
        cfg = item.copy()
        override = cfg.pop('override', None)
        build_from_cfg(cfg, INITIALIZERS)(module)
        if override is not None:
            cfg.pop('layer', None)
            _initialize_override(module, override, cfg)
