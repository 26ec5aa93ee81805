"""Table of the losses: a slow plain form of each, and options to test it with."""
import math

import numpy as np
import torch

IGNORE = 255


def over_pixels(pixel_terms):
    """Plain form of a loss whose terms are those of single pixels.

    pixel_terms: (scores of a pixel, its class, **options) -> terms, one or one per class.
    """
    def plain(logits, label, reduction='mean', loss_weight=1.0, avg_non_ignore=False, **options):
        terms = []
        for n, y, x in np.ndindex(*label.shape):
            scores, k = logits[n, :, y, x].tolist(), label[n, y, x].item()
            own = pixel_terms(scores, 0 if k == IGNORE else k, **options)
            if k != IGNORE:
                terms += own
            elif not avg_non_ignore:
                terms += [0.0] * len(own)
        total = math.fsum(terms)
        return loss_weight * (total if reduction == 'sum' else total / max(len(terms), 1))

    return plain


def cross_entropy_terms(scores, k, use_sigmoid=False, class_weight=None):
    weight = class_weight or [1] * len(scores)
    if use_sigmoid:
        return [weight[c] * math.log1p(math.exp(-score)) if c == k else math.log1p(math.exp(score))
                for c, score in enumerate(scores)]
    return [weight[k] * (math.log(sum(math.exp(score) for score in scores)) - scores[k])]


# Name: the plain form (logits, label, **options) -> value, then at least two sets of options.
LOSS_OPTIONS = {
    'CrossEntropyLoss': (over_pixels(cross_entropy_terms), {},
                         dict(class_weight=[0.5, 2.0, 1.25], loss_weight=0.4),
                         dict(avg_non_ignore=True), dict(reduction='sum'),
                         dict(use_sigmoid=True, class_weight=[0.5, 2.0, 1.25]),
                         dict(use_sigmoid=True, avg_non_ignore=True)),
}


def sample(number=2, size=(5, 7), dtype=torch.float64):
    """Logits [N, 3, H, W], and labels [N, H, W] with ignored pixels."""
    torch.manual_seed(1)
    label = torch.randint(3, (number, *size))
    label[:, 1] = IGNORE
    return torch.randn(number, 3, *size, dtype=torch.float64).to(dtype), label
