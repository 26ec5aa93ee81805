"""`init_cfg`: how a config chooses the initial weights of a module.

    init_cfg=[dict(type='Kaiming', layer='Conv2d'),
              dict(type='Constant', val=1, layer='BatchNorm2d')]
    init_cfg=dict(type='Normal', std=0.01, override=dict(name='conv_seg'))

`layer` names classes, or their base classes, of layers anywhere inside the module. `override`
treats one attribute of the module differently, with all that is inside it.
"""
import inspect
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, make_dataclass

from torch import nn

from mmcv_replace.utils import Registry, build_from_cfg
from mmcv_replace.utils.errors import CheckpointError, ConfigError

from . import weight_init

INITIALIZERS = Registry('initializer', base=Callable)


@dataclass(kw_only=True, eq=False)
class BaseInit:
    """Draw the weights of the layers that `layer` names; of every layer when `whole_module`.

    `bias_prob` sets the bias so that a sigmoid starts at that probability. The subclasses draw by
    a function of weight_init.py each.
    """

    bias: float = 0
    bias_prob: float | None = None
    layer: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        self.layers = {self.layer} if isinstance(self.layer, str) else set(self.layer or ())
        if self.bias_prob is not None:
            self.bias = weight_init.bias_init_with_prob(self.bias_prob)
        self.whole_module = False

    # Not annotated, since a dataclass takes annotated names for arguments.
    function = None
    needs_fan = False

    def draw(self, module: nn.Module) -> None:
        """Draw the weights of one layer."""
        options = {field.name: getattr(self, field.name) for field in fields(self)
                   if not field.kw_only}
        self.function(module, bias=self.bias, **options)

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


def _register(name: str, function: Callable[..., None], needs_fan: bool = False) -> type[BaseInit]:
    """Make and register `NAMEInit`, which takes the options of `function` besides BaseInit's.

    `needs_fan`: whether `function` needs weights of two dimensions or more.
    """
    options = [(option.name, option.annotation,
                MISSING if option.default is option.empty else option.default)
               for option in inspect.signature(function).parameters.values()
               if option.name not in ('module', 'bias')]
    body = dict(function=staticmethod(function), needs_fan=needs_fan, __module__=__name__,
                __doc__=f'See `{function.__name__}`.')
    cls = make_dataclass(f'{name}Init', options, bases=(BaseInit,), namespace=body, eq=False)
    return INITIALIZERS.register_module(name, module=cls)


ConstantInit = _register('Constant', weight_init.constant_init)
XavierInit = _register('Xavier', weight_init.xavier_init, needs_fan=True)
NormalInit = _register('Normal', weight_init.normal_init)
TruncNormalInit = _register('TruncNormal', weight_init.trunc_normal_init)
UniformInit = _register('Uniform', weight_init.uniform_init)
KaimingInit = _register('Kaiming', weight_init.kaiming_init, needs_fan=True)
Caffe2XavierInit = _register('Caffe2Xavier', weight_init.caffe2_xavier_init, needs_fan=True)


@INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit:
    """Load weights from a file, a URL, or an `open-mmlab://` or `torchvision://` name.

    `prefix` takes the part of the checkpoint under it ('backbone.' of a whole model). The module's
    `adapt_state_dict`, if it has one, renames the keys; weights that do not fit are logged. Raises
    CheckpointError where no key begins with `prefix`.
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
        # Late, because the runner package imports this module.
        from mmcv_replace.runner.checkpoint import _load_checkpoint, load_state_dict, weights_in
        logger = logging.getLogger('mmseg')
        logger.info('loading weights of %s from %s', type(module).__name__, self.checkpoint)
        state = weights_in(_load_checkpoint(self.checkpoint, self.map_location))
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
    """Draw or load the weights of `module` by one initializer config, or by several in turn."""
    for item in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg:
        cfg = item.copy()
        override = cfg.pop('override', None)
        build_from_cfg(cfg, INITIALIZERS)(module)
        if override is not None:
            cfg.pop('layer', None)
            _initialize_override(module, override, cfg)
