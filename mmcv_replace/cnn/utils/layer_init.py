"""Functions that draw the weights of one layer; a layer without weight or bias is left alone.

`bias` is the value of every element of the layer's bias.
"""
import math
from collections.abc import Callable

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError


def _fill(module: nn.Module, draw: Callable[..., Tensor], bias: float, **options: object) -> None:
    if getattr(module, 'weight', None) is not None:
        draw(module.weight, **options)
    if getattr(module, 'bias', None) is not None:
        nn.init.constant_(module.bias, bias)


def _choose(distribution: str, uniform: Callable[..., Tensor],
            normal: Callable[..., Tensor]) -> Callable[..., Tensor]:
    if distribution not in ('uniform', 'normal'):
        raise ConfigError(f"distribution={distribution!r} is not known: use 'normal' or 'uniform'")
    return uniform if distribution == 'uniform' else normal


def constant_init(module: nn.Module, val: float, bias: float = 0) -> None:
    """Set every weight to `val`."""
    _fill(module, nn.init.constant_, bias, val=val)


def xavier_init(module: nn.Module, gain: float = 1, bias: float = 0,
                distribution: str = 'normal') -> None:
    """Variance 2 * gain**2 / (fan_in + fan_out) (Glorot and Bengio, AISTATS 2010)."""
    draw = _choose(distribution, nn.init.xavier_uniform_, nn.init.xavier_normal_)
    _fill(module, draw, bias, gain=gain)


def normal_init(module: nn.Module, mean: float = 0, std: float = 1, bias: float = 0) -> None:
    """Normal distribution."""
    _fill(module, nn.init.normal_, bias, mean=mean, std=std)


def trunc_normal_init(module: nn.Module, mean: float = 0, std: float = 1, a: float = -2,
                      b: float = 2, bias: float = 0) -> None:
    """Normal distribution limited to values in [a, b]."""
    _fill(module, nn.init.trunc_normal_, bias, mean=mean, std=std, a=a, b=b)


def uniform_init(module: nn.Module, a: float = 0, b: float = 1, bias: float = 0) -> None:
    """Uniform distribution over [a, b)."""
    _fill(module, nn.init.uniform_, bias, a=a, b=b)


def kaiming_init(module: nn.Module, a: float = 0, mode: str = 'fan_out',
                 nonlinearity: str = 'relu', bias: float = 0,
                 distribution: str = 'normal') -> None:
    """Variance gain**2 / fan (He et al., arXiv:1502.01852); `a` is the slope of a leaky ReLU."""
    draw = _choose(distribution, nn.init.kaiming_uniform_, nn.init.kaiming_normal_)
    _fill(module, draw, bias, a=a, mode=mode, nonlinearity=nonlinearity)


def caffe2_xavier_init(module: nn.Module, bias: float = 0) -> None:
    """Uniform distribution of variance 1 / fan_in, called `XavierFill` in Caffe2."""
    kaiming_init(module, a=1, mode='fan_in', nonlinearity='leaky_relu', bias=bias,
                 distribution='uniform')


def bias_init_with_prob(prior_prob: float) -> float:
    """Bias for which a sigmoid starts at `prior_prob` (focal loss, arXiv:1708.02002)."""
    return -math.log((1 - prior_prob) / prior_prob)
