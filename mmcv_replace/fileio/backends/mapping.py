"""Local paths as addresses in an object store."""
from collections.abc import Mapping
from pathlib import Path

from ...utils.errors import ConfigTypeError


def check_mapping(path_mapping: Mapping[str, str] | None) -> Mapping[str, str]:
    """The mapping, empty for None; ConfigTypeError for what is no mapping."""
    if path_mapping is not None and not isinstance(path_mapping, Mapping):
        raise ConfigTypeError("path_mapping is a dict from parts of paths to what replaces them, "
                              f"such as {{'data/': 's3://bucket/data/'}}, not {path_mapping!r}")
    return path_mapping or {}


def map_path(filepath: str | Path, path_mapping: Mapping[str, str]) -> str:
    """The path with every key of the mapping replaced by its value."""
    path = str(filepath)
    for local, remote in path_mapping.items():
        path = path.replace(local, remote)
    return path


def join_address(first: str, *others: str) -> str:
    """An address from its parts, with one slash between two of them."""
    return '/'.join([first.rstrip('/'), *(part.strip('/') for part in others[:-1]),
                     *(part.lstrip('/') for part in others[-1:])])
