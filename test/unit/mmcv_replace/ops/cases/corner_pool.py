import torch

from mmcv_replace.ops import CornerPool

from ..op_cases import Case

STEPS = {'top': (1, 0), 'bottom': (-1, 0), 'left': (0, 1), 'right': (0, -1)}


def plain(mode):
    """Walk from each pixel to the border."""
    down, right = STEPS[mode]

    def largest(image, y, x):
        best = image[y, x]
        while 0 <= y + down < len(image) and 0 <= x + right < image.shape[1]:
            y, x = y + down, x + right
            best = image[y, x] if image[y, x] > best else best
        return best

    def pool(x):
        places = torch.cartesian_prod(*map(torch.arange, x.shape[2:])).tolist()
        return torch.stack([largest(image, *place) for image in x.flatten(0, 1)
                            for place in places]).view(x.shape)

    return pool


def unequal(*shape, seed=0):
    """Up to 256 values other than 0, none of which occurs twice, and which bfloat16 holds."""
    size = torch.Size(shape).numel()
    order = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    return (2 * order.view(shape) - size + 1 - size % 2).double() / 128


CASES = [
    Case(f'corner_pool_{mode}', CornerPool(mode), lambda: [unequal(2, 2, 5, 7)], plain(mode))
    for mode in ('top', 'right')
]
