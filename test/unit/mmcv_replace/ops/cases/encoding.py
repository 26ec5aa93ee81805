import torch

from mmseg.ops import Encoding

from ..op_cases import Case, uniform, with_state

LAYER = Encoding(6, 4)


def run(x, codewords, scale):
    return with_state(LAYER, dict(codewords=codewords, scale=scale), x)


def plain(x, codewords, scale):
    """Pixel after pixel, codeword after codeword."""
    encoded = []
    for image in x:
        total = torch.zeros_like(codewords)
        for pixel in image.flatten(1).T:
            difference = [pixel - codeword for codeword in codewords]
            score = [(factor * sum(value ** 2 for value in values)).exp()
                     for factor, values in zip(scale, difference, strict=True)]
            total = total + torch.stack([share / sum(score) * values for share, values in zip(
                score, difference, strict=True)])
        encoded.append(total)
    return torch.stack(encoded)


CASES = [Case(f'encoding {size}', run, lambda size=size: (
    uniform(*size), uniform(4, 6, seed=1) + 1, uniform(4, seed=2)), plain)
         for size in [(2, 6, 3, 5), (1, 6, 1, 1)]]
