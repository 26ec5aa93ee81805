"""The order of training and validation."""
from collections.abc import Sequence
from typing import Any

from ..utils.errors import ConfigError


def check_workflow(data_loaders: Sequence[Any], workflow: Sequence[tuple[str, int]]) -> None:
    """Raise ConfigError unless the workflow is [(mode, count), ...] with one entry a loader."""
    for flow in workflow:
        valid = (isinstance(flow, (list, tuple)) and len(flow) == 2
                 and flow[0] in ('train', 'val') and isinstance(flow[1], int) and flow[1] > 0)
        if not valid:
            raise ConfigError("workflow is a list such as [('train', 10), ('val', 1)], of 'train' "
                              f"or 'val' and a number above 0; {flow!r} is not")
    if all(mode != 'train' for mode, _ in workflow):
        raise ConfigError(f"workflow={list(workflow)!r} never trains: add ('train', 1)")
    if len(data_loaders) != len(workflow):
        raise ConfigError(f'workflow={list(workflow)!r} needs {len(workflow)} data loaders, one '
                          f'for each entry; there are {len(data_loaders)}')
