from torch.nn.modules.utils import _pair

from mmcv_replace.ops import modulated_deform_conv2d

from ..op_cases import Case, uniform
from .deform_conv import OPTIONS, inputs, plain_conv


def case(name, biased):
    options = OPTIONS[name][2]
    pairs = [*map(_pair, options[:3]), *options[3:]]

    def run(x, offset, mask, weight, bias=None):
        return modulated_deform_conv2d(x, offset, mask, weight, bias, *options)

    def plain(x, offset, mask, weight, bias=None):
        out = plain_conv(x, offset, mask, weight, *pairs)
        return out if bias is None else out + bias.view(-1, 1, 1)

    def with_bias():
        found = inputs(name, masked=True)
        return [*found, uniform(len(found[-1]), seed=4)] if biased else found

    return Case(f'modulated_deform_conv, {name}', run, with_bias, plain)


CASES = [case('plain', False), case('each channel', True)]
