"""Initializers: objects that draw the weights of layers inside a module."""
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, make_dataclass
from types import UnionType

from torch import nn

from mmcv_replace.utils import Registry
from mmcv_replace.utils.errors import ConfigTypeError

from . import layer_init
from .init_info import update_init_info

INITIALIZERS = Registry('initializer', base=Callable, modules={
    'mmcv_replace.cnn.utils.pretrained_init': ['Pretrained'],
})


@dataclass(kw_only=True, eq=False)
class BaseInit:
    """Draw the weights of the layers that `layer` names; of every layer when `wholemodule`.

    `bias_prob` sets the bias so that a sigmoid starts at that probability. The subclasses draw by
    a function of layer_init.py each. Raises ConfigTypeError for values of other types.
    """

    bias: float = 0
    bias_prob: float | None = None
    layer: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        layer = [] if self.layer is None else self.layer
        self._check('layer', layer, str | list | tuple, 'the name of a class or a list of them')
        self._check('bias', self.bias, int | float, 'a number')
        self._check('bias_prob', self.bias_prob, float | None, 'a number between 0 and 1')
        self.layer = [layer] if isinstance(layer, str) else list(layer)
        if self.bias_prob is not None:
            self.bias = layer_init.bias_init_with_prob(self.bias_prob)
        self.wholemodule = False

    def _check(self, name: str, value: object, kind: type | UnionType, wanted: str) -> None:
        if not isinstance(value, kind):
            raise ConfigTypeError(f'{type(self).__name__}: {name}={value!r} must be {wanted}')

    def _get_init_info(self) -> str:
        """What this draws, for the log."""
        options = {field.name: getattr(self, field.name) for field in fields(self)
                   if field.name not in ('layer', 'bias_prob')}
        return f'{type(self).__name__}: ' + ', '.join(f'{k}={v}' for k, v in options.items())

    # Not annotated, since a dataclass takes annotated names for arguments.
    function = None
    needs_fan = False

    def draw(self, module: nn.Module) -> None:
        """Draw the weights of one layer."""
        options = {field.name: getattr(self, field.name) for field in fields(self)
                   if not field.kw_only}
        self.function(module, bias=self.bias, **options)

    def _draw_if_chosen(self, module: nn.Module) -> None:
        if self.wholemodule:
            weight = getattr(module, 'weight', None)
            chosen = not self.needs_fan or (weight is not None and weight.dim() >= 2)
        else:
            chosen = any(cls.__name__ in self.layer for cls in type(module).__mro__)
        if chosen:
            self.draw(module)

    def __call__(self, module: nn.Module) -> None:
        module.apply(self._draw_if_chosen)
        update_init_info(module, self._get_init_info())


def _register(name: str, function: Callable[..., None], needs_fan: bool = False,
              **defaults: float) -> type[BaseInit]:
    """Make and register `NAMEInit`, which takes the options of `function` besides BaseInit's.

    `needs_fan`: whether `function` needs weights of two dimensions or more. `defaults` replace the
    function's own.
    """
    options = [(option.name, option.annotation,
                MISSING if option.default is option.empty
                else defaults.get(option.name, option.default))
               for option in inspect.signature(function).parameters.values()
               if option.name not in ('module', 'bias')]
    body = dict(function=staticmethod(function), needs_fan=needs_fan, __module__=__name__,
                __doc__=f'See `{function.__name__}`.')
    cls = make_dataclass(f'{name}Init', options, bases=(BaseInit,), namespace=body, eq=False)
    return INITIALIZERS.register_module(name, module=cls)


ConstantInit = _register('Constant', layer_init.constant_init)
XavierInit = _register('Xavier', layer_init.xavier_init, needs_fan=True)
NormalInit = _register('Normal', layer_init.normal_init)
TruncNormalInit = _register('TruncNormal', layer_init.trunc_normal_init)
UniformInit = _register('Uniform', layer_init.uniform_init, a=0.0, b=1.0)
KaimingInit = _register('Kaiming', layer_init.kaiming_init, needs_fan=True)
Caffe2XavierInit = _register('Caffe2Xavier', layer_init.caffe2_xavier_init, needs_fan=True)
