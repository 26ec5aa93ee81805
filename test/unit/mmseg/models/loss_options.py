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


def focal_terms(scores, k, use_sigmoid=True, gamma=2.0, alpha=0.5, class_weight=None):
    weight = class_weight or [1] * len(scores)
    alphas = alpha if isinstance(alpha, list) else [alpha] * len(scores)
    if not use_sigmoid:
        p = math.exp(scores[k]) / sum(map(math.exp, scores))
        return [-weight[k] * alphas[k] * (1 - p) ** gamma * math.log(p)]
    terms = []
    for c, score in enumerate(scores):
        p = 1 / (1 + math.exp(-score))
        p, share = (p, alphas[c]) if c == k else (1 - p, 1 - alphas[c])
        terms.append(-weight[c] * share * (1 - p) ** gamma * math.log(p))
    return terms


def over_regions(overlap):
    """Plain form of 1 - the overlap of each class, in the mean over classes and images.

    overlap: (list of (probabilities, class) of the pixels of an image, a class, **options).
    """
    def plain(logits, label, reduction='mean', loss_weight=1.0, class_weight=None, **options):
        weight = class_weight or [1] * logits.shape[1]
        values = []
        for scores, truth in zip(logits.softmax(1), label, strict=True):
            pixels = [(scores[:, y, x].tolist(), truth[y, x].item())
                      for y, x in np.ndindex(*truth.shape)]
            terms = [weight[c] * (1 - overlap(pixels, c, **options)) for c in range(len(scores))]
            values.append(sum(terms) / len(terms))
        return loss_weight * sum(values) / (len(values) if reduction == 'mean' else 1)

    return plain


def dice_overlap(pixels, c, smooth=1, exponent=2, count_ignored=True):
    both = sum(p[c] for p, k in pixels if k == c)
    powers = sum(p[c] ** exponent for p, k in pixels if count_ignored or k != IGNORE)
    last = c == len(pixels[0][0]) - 1
    size = sum(k == c or (count_ignored and last and k == IGNORE) for _, k in pixels)
    return (2 * both + smooth) / (powers + size + smooth)


def tversky_overlap(pixels, c, smooth=1, alpha=0.3, beta=0.7):
    both = sum(p[c] for p, k in pixels if k == c)
    beside = sum(p[c] for p, k in pixels if k not in (c, IGNORE))
    missed = sum(1 - p[c] for p, k in pixels if k == c)
    return (both + smooth) / (both + alpha * beside + beta * missed + smooth)


def lovasz_extension(errors):
    """Sum of the errors, from the largest on, times what each adds to 1 - IoU as a mistake.

    errors: (error, whether it is one of the region) of the pixels.
    """
    region = sum(inside for _, inside in errors)
    total = missed = beside = before = 0
    for error, inside in sorted(errors, key=lambda each: -each[0]):
        missed, beside = missed + inside, beside + (not inside)
        loss = 1 - (region - missed) / (region + beside)
        total, before = total + error * (loss - before), loss
    return total


def plain_lovasz(logits, label, reduction='mean', loss_weight=1.0, class_weight=None,
                 per_image=False, classes='present'):
    weight = class_weight or [1] * logits.shape[1]
    images = [[(scores[:, y, x].tolist(), truth[y, x].item())
               for y, x in np.ndindex(*truth.shape) if truth[y, x] != IGNORE]
              for scores, truth in zip(logits.softmax(1), label, strict=True)]
    values = []
    for pixels in images if per_image else [sum(images, [])]:
        found = {k for _, k in pixels} if classes == 'present' else (
            range(len(weight)) if classes == 'all' else classes)
        terms = [weight[c] * lovasz_extension([(abs((k == c) - p[c]), k == c) for p, k in pixels])
                 for c in found]
        values.append(sum(terms) / max(len(terms), 1))
    return loss_weight * sum(values) / (len(values) if reduction == 'mean' else 1)


# Name: the plain form (logits, label, **options) -> value, then at least two sets of options.
LOSS_OPTIONS = {
    'CrossEntropyLoss': (over_pixels(cross_entropy_terms), {},
                         dict(class_weight=[0.5, 2.0, 1.25], loss_weight=0.4),
                         dict(avg_non_ignore=True), dict(reduction='sum'),
                         dict(use_sigmoid=True, class_weight=[0.5, 2.0, 1.25]),
                         dict(use_sigmoid=True, avg_non_ignore=True)),
    'DiceLoss': (over_regions(dice_overlap), {}, dict(exponent=1, class_weight=[0.5, 2.0, 1.25]),
                 dict(smooth=0.5, reduction='sum', loss_weight=3.0), dict(count_ignored=False)),
    'FocalLoss': (over_pixels(focal_terms), {}, dict(class_weight=[0.5, 2.0, 1.25], gamma=0.5),
                  dict(alpha=[0.1, 0.2, 0.6], loss_weight=0.4),
                  dict(avg_non_ignore=True, alpha=0.25),
                  dict(use_sigmoid=False, reduction='sum'),
                  dict(use_sigmoid=False, alpha=[0.1, 0.2, 0.6], class_weight=[0.5, 2.0, 1.25])),
    'LovaszLoss': (plain_lovasz, {}, dict(classes='all', class_weight=[0.5, 2.0, 1.25]),
                   dict(per_image=True, loss_weight=2.0),
                   dict(per_image=True, reduction='sum', classes=[0, 2])),
    'TverskyLoss': (over_regions(tversky_overlap), {}, dict(alpha=0.9, beta=0.1),
                    dict(smooth=0.5, class_weight=[0.5, 2.0, 1.25], loss_weight=3.0),
                    dict(reduction='sum')),
}


def sample(number=2, size=(5, 7), dtype=torch.float64):
    """Logits [N, 3, H, W], and labels [N, H, W] with ignored pixels."""
    torch.manual_seed(1)
    label = torch.randint(3, (number, *size))
    label[:, 1] = IGNORE
    return torch.randn(number, 3, *size, dtype=torch.float64).to(dtype), label
