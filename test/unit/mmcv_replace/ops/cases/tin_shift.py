import torch

from mmcv_replace.ops import tin_shift

from ..op_cases import Case, uniform


def plain(x, shift):
    batch, frames, channels = x.shape[:3]
    width = channels // shift.shape[1]
    out = []
    for n in range(batch):
        for t in range(frames):
            for c in range(channels):
                source = t - int(shift[n, c // width])
                out.append(x[n, source, c] if 0 <= source < frames else 0 * x[n, t, c])
    return torch.stack(out).view(x.shape)


CASES = [Case('tin_shift', tin_shift, lambda: (
    uniform(3, 4, 6, 5), torch.tensor([[0, 1, -1], [2, -3, 4], [-9, 7, 3]], dtype=torch.int32)),
    plain, low_precision=0)]
