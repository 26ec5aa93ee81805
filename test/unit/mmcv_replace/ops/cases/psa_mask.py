from mmcv_replace.ops.psa_mask import psa_mask

from ..op_cases import Case, uniform


def plain(x, kind, mask_size):
    """Each weight that lies on the map, moved on its own."""
    mask_h, mask_w = (mask_size, mask_size) if isinstance(mask_size, int) else mask_size
    count, _, height, width = x.shape
    out = x.new_zeros(count, height * width, height, width)
    for h in range(height):
        for w in range(width):
            for i in range(mask_h):
                for j in range(mask_w):
                    row, column = h + i - (mask_h - 1) // 2, w + j - (mask_w - 1) // 2
                    if 0 <= row < height and 0 <= column < width:
                        weight = x[:, i * mask_w + j, h, w]
                        if kind == 'collect':
                            out[:, row * width + column, h, w] = weight
                        else:
                            out[:, h * width + w, row, column] = weight
    return out


# Masks that are larger and smaller than the map, also in one direction alone, and even ones.
SIZES = [('collect', (5, 7), (6, 8)), ('distribute', (5, 7), (6, 8)), ('collect', (4, 6), (3, 4)),
         ('distribute', (13, 3), (4, 5)), ('collect', 3, (1, 4))]


def inputs(mask_size, size):
    mask_h, mask_w = (mask_size, mask_size) if isinstance(mask_size, int) else mask_size
    return [uniform(2, mask_h * mask_w, *size)]


CASES = [Case(f'psa_mask {kind} {mask_size} on {size}',
              lambda x, kind=kind, mask_size=mask_size: psa_mask(x, kind, mask_size),
              lambda mask_size=mask_size, size=size: inputs(mask_size, size),
              lambda x, kind=kind, mask_size=mask_size: plain(x, kind, mask_size))
         for kind, mask_size, size in SIZES]
