import torch

from ..head_plain import TANH, TWO_MAPS, Row, block, classify, conv


def depthwise(module, x, kernel_size, options, dilation=1, act='default'):
    x = conv(module.conv, x, padding=kernel_size // 2 * dilation, dilation=dilation,
             groups=x.shape[1])
    mean, var, weight, bias = (value.view(-1, 1, 1) for value in (
        module.bn.running_mean, module.bn.running_var, module.bn.weight, module.bn.bias))
    x = (x - mean) / (var + module.bn.eps).sqrt() * weight + bias
    return x if act is None else x.tanh() if 'act_cfg' in options else x.clamp(min=0)


def plain(head, x, num_convs=2, kernel_size=3, dilation=1, concat_input=True,
          dw_act_cfg='default', **options):
    def separable(module, x, dilation=1):
        x = depthwise(module.depthwise_conv, x, kernel_size, options, dilation, dw_act_cfg)
        return block(module.pointwise_conv, x, 1, options)

    out = x
    for i in range(num_convs):
        out = separable(head.convs[i], out, dilation)
    if concat_input:
        out = separable(head.conv_cat, torch.cat([x, out], 1))
    return classify(head, out)


ROWS = {
    'DepthwiseSeparableFCNHead': Row(plain, [
        {},
        dict(num_convs=1, concat_input=False, dw_act_cfg=None, **TWO_MAPS),
        dict(kernel_size=5, dilation=2, **TANH)],
        own_norms=['convs.0.depthwise_conv']),
}
