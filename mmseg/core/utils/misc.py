"""Helpers without a better home."""
from typing import Any


def add_prefix(inputs: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The same values under `prefix.name`."""
    return {f'{prefix}.{name}': value for name, value in inputs.items()}
