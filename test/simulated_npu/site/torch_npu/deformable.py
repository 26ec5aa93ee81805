"""torch_npu.npu_deformable_conv2d: the layout of the real one, by sums over all pixels."""
import torch
import torch.nn.functional as F


def _hats(offset, first, step, taps, dilation, size, vertical):
    """Shares of the pixels of one axis, [N, G, h, w, H', W', size]: two around each position."""
    def count(number):
        return torch.arange(number, dtype=offset.dtype, device=offset.device)

    places = count(offset.shape[4 if vertical else 5]) * step - first
    kernel = count(taps) * dilation
    if vertical:
        base = kernel.view(-1, 1, 1, 1) + places.view(-1, 1)
    else:
        base = kernel.view(-1, 1, 1) + places
    position = (offset + base).unsqueeze(-1)
    before = position.detach().floor()  # at a pixel the slope is that behind it
    part, pixels = position - before, count(size)
    return torch.where(pixels == before, 1 - part, torch.where(pixels == before + 1, part, 0))


def npu_deformable_conv2d(input, weight, offset, bias, kernel_size, stride, padding,  # noqa: A002
                          dilation=(1, 1, 1, 1), groups=1, deformable_groups=1, modulated=True):
    """Returns the output, and the samples as maps [N, C, H' h, W' w]."""
    if not modulated:
        raise RuntimeError('modulated=False is not supported')
    given = [t for t in (input, weight, offset, bias) if t is not None]
    if len({t.dtype for t in given}) > 1 or input.dtype == torch.float64:
        raise RuntimeError(f'types {[t.dtype for t in given]} are not supported')
    if any(t.numel() == 0 for t in given):
        raise RuntimeError('empty tensors are not supported')
    if kernel_size[0] != kernel_size[1]:
        raise RuntimeError('the order of kernel_size is not certain')
    if stride[:2] != [1, 1] or dilation[:2] != [1, 1] or padding[::2] != padding[1::2]:
        raise RuntimeError('four values of stride, dilation and padding are needed')
    n, c, height, width = input.shape
    taps, parts = kernel_size[0], deformable_groups
    x, y, mask = offset.view(n, 3, parts, taps, taps, *offset.shape[2:]).unbind(1)
    rows = _hats(y, padding[0], stride[2], taps, dilation[2], height, True)
    columns = _hats(x, padding[2], stride[3], taps, dilation[3], width, False)
    sampled = torch.einsum('ngcij,ngklpqi,ngklpqj,ngklpq->ngcpkql',
                           input.view(n, parts, c // parts, height, width), rows, columns, mask)
    sampled = sampled.reshape(n, c, offset.shape[2] * taps, offset.shape[3] * taps)
    return F.conv2d(sampled, weight, bias, stride=taps, groups=groups), sampled
