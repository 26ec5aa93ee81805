import math

import torch

from mmcv_replace.ops import sigmoid_focal_loss, softmax_focal_loss

from ..op_cases import Case, uniform


def reduced(terms, reduction, places):
    return terms if reduction == 'none' else terms.sum() / (places if reduction == 'mean' else 1)


def sigmoid_term(x, own, gamma, alpha):
    p = 1 / (1 + torch.exp(-x))
    if own:
        return -alpha * (1 - p) ** gamma * torch.log(p)
    return -(1 - alpha) * p ** gamma * torch.log(1 - p)


def plain_sigmoid(logits, target, gamma, alpha, weight, reduction):
    rows = []
    for scores, label in zip(logits, target.tolist(), strict=True):
        known = weight is not None and 0 <= label < len(scores)
        factor = weight[label].item() if known else 1
        rows.append(torch.stack([factor * sigmoid_term(x, c == label, gamma, alpha)
                                 for c, x in enumerate(scores)]))
    return reduced(torch.stack(rows), reduction, len(logits))


def plain_softmax(logits, target, gamma, alpha, weight, reduction):
    terms = []
    for scores, label in zip(logits, target.tolist(), strict=True):
        if label < 0:
            terms.append(scores.sum() * 0)
            continue
        factor = 1 if weight is None else weight[label].item()
        p = torch.exp(scores[label]) / sum(torch.exp(x) for x in scores)
        terms.append(-factor * alpha * (1 - p) ** gamma * torch.log(p))
    return reduced(torch.stack(terms), reduction, len(logits))


def over_maps(plain):
    """The slow form of `plain` for [N, C, H, W]: its places are pixels."""
    def run(logits, target, *options):
        terms = plain(logits.movedim(1, -1).flatten(0, -2), target.flatten(), *options)
        if options[-1] == 'none' and terms.dim() == 2:
            return terms.view(*target.shape, -1).movedim(-1, 1)
        return terms.view(target.shape) if options[-1] == 'none' else terms
    return run


def case(name, loss, plain, shape, labels, options):
    """`labels` is the number of different targets, from -1; `options` are gamma, alpha, reduction.

    Classes of maps have weights.
    """
    gamma, alpha, reduction = options

    def inputs():
        places = torch.arange(math.prod(shape) // shape[1]).view(shape[:1] + shape[2:])
        weight = torch.tensor([0.5, 2, 1.25, 0.75]).double() if len(shape) > 2 else None
        return uniform(*shape) * 6, places * 7 % labels - 1, weight

    def call(function):
        return lambda x, target, weight: function(x, target, gamma, alpha, weight, reduction)

    return Case(f'{loss.__name__}_{name}', call(loss), inputs, call(plain), constant=(2,))


def cases(loss, plain, labels):
    yield case('mean', loss, plain, (11, 4), labels, (2.0, 0.25, 'mean'))
    yield case('sum', loss, plain, (11, 4), labels, (0.5, 0.75, 'sum'))
    for reduction, gamma in (('none', 1.5), ('mean', 0.0)):
        yield case(f'maps_{reduction}', loss, over_maps(plain), (2, 4, 3, 5), labels,
                   (gamma, 0.3, reduction))


CASES = [*cases(sigmoid_focal_loss, plain_sigmoid, 6), *cases(softmax_focal_loss, plain_softmax, 5)]
