"""The numbers of the last iterations, until a logger wants their means."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ..device import is_asynchronous
from .dist_utils import mean_over_ranks


class LogBuffer:
    """Keeps tensors on their device; only `average` makes the host wait for them.

    `output` is what the loggers write when `ready`: means made by `average`, or whatever a hook
    puts there (as evaluation does with its scores). `window` is the largest number of iterations
    that a logger averages over; older values are dropped by `trim`.
    """

    def __init__(self) -> None:
        self.val_history: dict[str, list[torch.Tensor | float]] = {}
        self.n_history: dict[str, list[float]] = {}
        self.output: dict[str, Any] = {}
        self.ready = False
        self.window = 1
        self._means: dict[int, dict[str, float]] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.clear_history()
        self.clear_output()

    def clear_history(self) -> None:
        """Forget the values that means are made of."""
        self.val_history.clear()
        self.n_history.clear()
        self._means.clear()

    @contextmanager
    def validation(self) -> Iterator[None]:
        """Values inside this context have means of their own; those of the training wait."""
        training = self.val_history, self.n_history
        self.val_history, self.n_history = {}, {}
        self._means.clear()
        try:
            yield
        finally:
            self.val_history, self.n_history = training
            self._means.clear()

    def clear_output(self) -> None:
        """Forget what is to be logged, keep the history."""
        self.output.clear()
        self.ready = False

    def update(self, vars: dict[str, torch.Tensor | float], count: float = 1) -> None:
        """Add one value to each variable, which weighs `count` in the mean."""
        self._means.clear()
        for key, value in vars.items():
            # A graph that hangs on a value would stay in memory with it.
            kept = value.detach() if isinstance(value, torch.Tensor) else value
            self.val_history.setdefault(key, []).append(kept)
            self.n_history.setdefault(key, []).append(count)

    def trim(self) -> None:
        """Drop the values that no logger will ask for any more."""
        for history in (*self.val_history.values(), *self.n_history.values()):
            del history[:-self.window]

    def average(self, n: int = 0) -> None:
        """Put the weighted means of the last `n` values (0: all) of each variable in `output`.

        With several processes the means over all of them; each has to call this then.
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
    """Python numbers; the tensors among the values travel as one."""
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if not tensors:
        return list(values)
    device = tensors[0].device
    # Accelerators are not asked for double precision: some have none.
    dtype = torch.float32 if is_asynchronous(device) else torch.float64
    stacked = torch.stack([t.reshape(()).to(device, dtype) for t in tensors])
    numbers = iter(stacked.tolist())
    return [next(numbers) if isinstance(value, torch.Tensor) else value for value in values]
