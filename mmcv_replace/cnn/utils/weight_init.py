"""Functions that draw the weights of one layer; a layer without weight or bias is left alone."""
import math

from torch import nn

from mmcv_replace.utils.errors import ConfigError


def _fill_bias(module: nn.Module, bias: float) -> None:
    if getattr(module, 'bias', None) is not None:
        nn.init.constant_(module.bias, bias)


def _has_weight(module: nn.Module) -> bool:
    return getattr(module, 'weight', None) is not None


def _check_distribution(distribution: str) -> None:
    if distribution not in ('uniform', 'normal'):
        raise ConfigError(f"distribution={distribution!r} is not known: use 'normal' or 'uniform'")


def constant_init(module: nn.Module, val: float, bias: float = 0) -> None:
    """Every weight `val`."""
    if _has_weight(module):
        nn.init.constant_(module.weight, val)
    _fill_bias(module, bias)


def xavier_init(module: nn.Module, gain: float = 1, bias: float = 0,
                distribution: str = 'normal') -> None:
    """Glorot and Bengio, AISTATS 2010."""
    _check_distribution(distribution)
    if _has_weight(module):
        draw = nn.init.xavier_uniform_ if distribution == 'uniform' else nn.init.xavier_normal_
        draw(module.weight, gain=gain)
    _fill_bias(module, bias)


def normal_init(module: nn.Module, mean: float = 0, std: float = 1, bias: float = 0) -> None:
    """Normal distribution."""
    if _has_weight(module):
        nn.init.normal_(module.weight, mean, std)
    _fill_bias(module, bias)


def trunc_normal_init(module: nn.Module, mean: float = 0, std: float = 1, a: float = -2,
                      b: float = 2, bias: float = 0) -> None:
    """Normal distribution limited to values in [a, b]."""
    if _has_weight(module):
        nn.init.trunc_normal_(module.weight, mean, std, a, b)
    _fill_bias(module, bias)


def uniform_init(module: nn.Module, a: float = 0, b: float = 1, bias: float = 0) -> None:
    """Uniform distribution over [a, b)."""
    if _has_weight(module):
        nn.init.uniform_(module.weight, a, b)
    _fill_bias(module, bias)


def kaiming_init(module: nn.Module, a: float = 0, mode: str = 'fan_out',
                 nonlinearity: str = 'relu', bias: float = 0,
                 distribution: str = 'normal') -> None:
    """He et al., arXiv:1502.01852; `a` is the slope of a leaky ReLU."""
    _check_distribution(distribution)
    if _has_weight(module):
        draw = nn.init.kaiming_uniform_ if distribution == 'uniform' else nn.init.kaiming_normal_
        draw(module.weight, a=a, mode=mode, nonlinearity=nonlinearity)
    _fill_bias(module, bias)


def caffe2_xavier_init(module: nn.Module, bias: float = 0) -> None:
    """`XavierFill` of Caffe2: uniform with variance 1 / fan_in."""
    kaiming_init(module, a=1, mode='fan_in', nonlinearity='leaky_relu', bias=bias,
                 distribution='uniform')


def bias_init_with_prob(prior_prob: float) -> float:
    """Bias for which a sigmoid starts at `prior_prob` (focal loss, arXiv:1708.02002)."""
    return -math.log((1 - prior_prob) / prior_prob)
