import torch
import torch.nn.functional as F

from mmcv_replace.ops import masked_conv2d

from ..op_cases import Case, uniform


def plain_conv(x, weight, stride=1, padding=0, dilation=1, groups=1):
    """A convolution, pixel by pixel."""
    x = F.pad(x, (padding,) * 4)
    group = len(weight) // groups
    reach = [dilation * (size - 1) for size in weight.shape[2:]]
    rows, columns = (range(0, size - far, stride)
                     for size, far in zip(x.shape[2:], reach, strict=True))
    values = []
    for o, kernel in enumerate(weight):
        first = o // group * weight.shape[1]
        part = x[:, first:first + weight.shape[1]]
        values += [(part[..., i:i + reach[0] + 1:dilation, j:j + reach[1] + 1:dilation] * kernel
                    ).sum((1, 2, 3)) for i in rows for j in columns]
    return torch.stack(values, 1).view(len(x), len(weight), len(rows), len(columns))


def plain(stride, padding):
    def convolve(x, mask, weight, bias):
        out = plain_conv(x, weight, stride, padding) + bias.view(-1, 1, 1)
        kept = torch.tensor([[[float(value > 0) for value in row] for row in image]
                             for image in mask.tolist()], dtype=x.dtype)
        return out * kept.unsqueeze(1)

    return convolve


def inputs(batch, height, width):
    return lambda: (uniform(batch, 3, 6, 5), (uniform(batch, height, width, seed=1) * 2).round(),
                    uniform(2, 3, 3, 2, seed=2), uniform(2, seed=3))


CASES = [
    Case('masked_conv2d', lambda *args: masked_conv2d(*args, 1), inputs(1, 6, 6), plain(1, 1),
         constant=[1]),
    Case('masked_conv2d_stride2', lambda *args: masked_conv2d(*args, stride=2), inputs(2, 2, 2),
         plain(2, 0), constant=[1]),
]
