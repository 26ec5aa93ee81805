"""What a deformable convolution is called with, and the check of it."""
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ...utils.errors import UsageError

Pair = tuple[int, int]
Size = int | Sequence[int]


@dataclass(frozen=True)
class DeformOptions:
    """Options of a call, pairs in the order (vertical, horizontal)."""

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    deform_groups: int = 1
    images: int = 1  # most of them that are computed at a time

    @property
    def points(self) -> int:
        """Number of samples that a place of the output depends on."""
        return self.kernel[0] * self.kernel[1]

    def output_size(self, size: Sequence[int]) -> Pair:
        """Height and width of the output for those of the input; below 1 for one too small."""
        spans = (step * (taps - 1) + 1 for step, taps in zip(self.dilation, self.kernel,
                                                             strict=True))
        height, width = (
            (pixels + 2 * pad - span) // stride + 1 for pixels, pad, span, stride
            in zip(size, self.padding, spans, self.stride, strict=True))
        return height, width


def check_sizes(kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
                dilation: Sequence[int]) -> None:
    """Raise UsageError unless each is a height and a width with which samples have places."""
    sizes = dict(kernel_size=kernel, stride=stride, dilation=dilation, padding=padding)
    for name, value in sizes.items():
        # A negative padding leaves out the border, as in mmcv.
        if len(value) != 2 or name != 'padding' and min(value) < 1:
            raise UsageError(f'a deformable convolution with {name}={tuple(value)}: it must be a '
                             'number, or a height and a width, above 0 but for the padding')


def check_call(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
               options: DeformOptions) -> None:
    """Raise UsageError where the tensors of a call do not fit each other."""
    if x.dim() != 4:
        raise UsageError(f'a deformable convolution takes maps [N, C, H, W], not {_sizes(x)}')
    check_sizes(options.kernel, options.stride, options.padding, options.dilation)
    groups, deform_groups = options.groups, options.deform_groups
    channels, filters = x.shape[1], weight.shape[0]
    if groups < 1 or deform_groups < 1:
        raise UsageError(f'a deformable convolution with groups={groups} and deform_groups='
                         f'{deform_groups}: both must be 1 or more')
    if channels != weight.shape[1] * groups or channels % deform_groups or filters % groups:
        raise UsageError(
            f'a weight {_sizes(weight)} with groups={groups} and deform_groups={deform_groups} '
            f'does not fit maps {_sizes(x)}: the weight needs C / groups = {channels}/{groups} '
            f'channels, and both numbers of groups must divide the channels that they split')
    height, width = options.output_size(x.shape[2:])
    if not len(x):
        raise UsageError(f'maps {_sizes(x)}: a deformable convolution needs an image at least, as '
                         'in mmcv; leave out empty batches')
    if height < 1 or width < 1 or 0 in x.shape:
        raise UsageError(f'maps {_sizes(x)} are too small for a deformable convolution with a '
                         f'kernel {options.kernel}, padding {options.padding} and dilation '
                         f'{options.dilation}: its output would be '
                         f'[{x.shape[0]}, {filters}, {height}, {width}]')
    wanted = dict(offset=2, mask=1)
    for name, tensor in dict(offset=offset, mask=mask).items():
        shape = (x.shape[0], wanted[name] * deform_groups * options.points, height, width)
        if tensor is not None and tensor.shape != shape:
            raise UsageError(f'the {name} of a deformable convolution has shape {_sizes(tensor)} '
                             f'and must have {list(shape)}: {wanted[name]} of each point of the '
                             'kernel and of each of deform_groups, at each place of the output')


def _sizes(tensor: Tensor) -> list[int]:
    return list(tensor.shape)
