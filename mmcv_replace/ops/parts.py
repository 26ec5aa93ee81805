"""Parts of the work of an operator, so that its temporary tensors stay small."""


def parts(count: int, cost: int, limit: int) -> list[slice]:
    """Slices of `count` items, about equal in size, each of at most `limit` elements.

    An item needs `cost` elements of a temporary tensor; a slice has one item at least.
    """
    most = max(1, limit // max(1, cost))
    size = -(-count // max(1, -(-count // most)))
    return [slice(start, min(start + size, count)) for start in range(0, count, max(1, size))]
