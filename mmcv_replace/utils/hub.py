"""Weights from the network."""
from typing import Any

import torch


def load_url(url: str, model_dir: str | None = None, map_location: Any = None,
             progress: bool = True, check_hash: bool = False, file_name: str | None = None,
             weights_only: bool = True) -> Any:
    """What a file on a server holds; it is kept in `model_dir`, by default torch's cache.

    See torch.hub.load_state_dict_from_url. Only tensors and plain values are read: with
    weights_only=False a file could run code.
    """
    return torch.hub.load_state_dict_from_url(
        url, model_dir, map_location, progress, check_hash, file_name, weights_only)
