"""Collects the numbers of the last iterations, of which loggers write the means."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ..device import is_asynchronous
from .dist_utils import mean_over_ranks


class LogBuffer:
    """Keeps tensors on their device; only `average` makes the host wait for them.

    `output` is what the loggers write when `ready`: means from `average`, or values that a hook
    puts there, such as the scores of an evaluation. `window` is the largest number of iterations
    that a logger averages over; `trim` drops older values.
    """

    def __init__(self) -> None:
        self.val_history: dict[str, list[torch.Tensor | float]] = {}
        self.n_history: dict[str, list[float]] = {}
        self.output: dict[str, Any] = {}
        self.ready = False
        self.window = 1
        self._means: dict[int, dict[str, float]] = {}

    def clear(self) -> None:
        """Delete history and output."""
        self.clear_history()
        self.clear_output()

    def clear_history(self) -> None:
        """Delete the values that are averaged."""
        self.val_history.clear()
        self.n_history.clear()
        self._means.clear()

    @contextmanager
    def validation(self) -> Iterator[None]:
        """Within this context values are averaged apart from those of the training, which stay."""
        training = self.val_history, self.n_history
        self.val_history, self.n_history = {}, {}
        self._means.clear()
        try:
            yield
        finally:
            self.val_history, self.n_history = training
            self._means.clear()

    def clear_output(self) -> None:
        """Delete what is to be logged, but keep the history."""
        self.output.clear()
        self.ready = False

    def update(self, vars: dict[str, torch.Tensor | float], count: float = 1) -> None:
        """Add one value to each variable; `count` is its weight in the mean."""
        self._means.clear()
        for key, value in vars.items():
            # An attached graph would stay in memory with the value.
            kept = value.detach() if isinstance(value, torch.Tensor) else value
            self.val_history.setdefault(key, []).append(kept)
            self.n_history.setdefault(key, []).append(count)

    def trim(self) -> None:
        """Drop the values that no logger will need."""
        for history in (*self.val_history.values(), *self.n_history.values()):
            del history[:-self.window]

    def average(self, n: int = 0) -> None:
        """Put the weighted means of the last `n` values (0: all) of each variable in `output`.

        The means are over all processes, each of which has to call it.
        """
        if n not in self._means:
            self._means[n] = self._compute_means(n)
        self.output.update(self._means[n])
        self.ready = bool(self.output)

    def _compute_means(self, n: int) -> dict[str, float]:
        recent = {key: history[-n:] for key, history in self.val_history.items()}
        values = iter(_to_host([value for history in recent.values() for value in history]))
        means = [float(np.average([next(values) for _ in history],
                                  weights=self.n_history[key][-n:]))
                 for key, history in recent.items()]
        return dict(zip(recent, mean_over_ranks(means), strict=True))


def _to_host(values: Sequence[torch.Tensor | float]) -> list[float]:
    """Python numbers; tensors are copied to the host in one transfer."""
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if not tensors:
        return list(values)
    device = tensors[0].device
    # Not in double precision on accelerators: some do not have it.
    dtype = torch.float32 if is_asynchronous(device) else torch.float64
    stacked = torch.stack([t.reshape(()).to(device, dtype) for t in tensors])
    numbers = iter(stacked.tolist())
    return [next(numbers) if isinstance(value, torch.Tensor) else value for value in values]
