"""Rounding of numbers of channels."""


def make_divisible(value: float, divisor: int, min_value: int | None = None,
                   min_ratio: float = 0.9) -> int:
    """The multiple of `divisor` next to `value`, as MobileNets choose their numbers of channels.

    At least `min_value` (`divisor`), and the next larger multiple where the result would be less
    than `min_ratio` of `value` (arXiv:1905.02244).
    """
    least = divisor if min_value is None else min_value
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < min_ratio * value else rounded
