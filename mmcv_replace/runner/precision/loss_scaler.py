"""mmcv's loss scaler, for user code that scales its loss by itself; runs here use torch's."""
from collections.abc import Iterable
from typing import Any

import torch

from ...utils.errors import ConfigError

STATE = ('cur_scale', 'cur_iter', 'mode', 'last_overflow_iter', 'scale_factor', 'scale_window')


class LossScaler:
    """A factor of the loss that keeps small gradients above zero in float16.

    `mode`: 'static' keeps `init_scale`. 'dynamic' divides it by `scale_factor` after an overflow,
    down to 1, and multiplies it after every `scale_window` iterations without one. The gradients
    are divided by `loss_scale` before the step, which an overflow skips.
    """

    def __init__(self, init_scale: float = 2**32, mode: str = 'dynamic', scale_factor: float = 2.,
                 scale_window: int = 1000) -> None:
        if mode not in ('dynamic', 'static'):
            raise ConfigError(f"mode={mode!r} of a loss scaler: choose 'dynamic' or 'static'")
        self.cur_scale = init_scale
        self.cur_iter = 0
        self.mode = mode
        self.last_overflow_iter = -1
        self.scale_factor = scale_factor
        self.scale_window = scale_window

    @property
    def loss_scale(self) -> float:
        """The present factor."""
        return self.cur_scale

    def has_overflow(self, params: Iterable[torch.nn.Parameter]) -> bool:
        """Whether the gradient of a parameter holds infinity or NaN; the host waits for it."""
        return self.mode == 'dynamic' and any(
            self._has_inf_or_nan(p.grad) for p in params if p.grad is not None)

    @staticmethod
    def _has_inf_or_nan(x: torch.Tensor) -> bool:
        return not bool(torch.isfinite(x).all())

    def update_scale(self, overflow: bool) -> None:
        """Adapt the factor after an iteration; `overflow`: whether its gradients had one."""
        if self.mode != 'dynamic':
            return
        if overflow:
            self.cur_scale = max(self.cur_scale / self.scale_factor, 1)
            self.last_overflow_iter = self.cur_iter
        elif (self.cur_iter - self.last_overflow_iter) % self.scale_window == 0:
            self.cur_scale *= self.scale_factor
        self.cur_iter += 1

    def state_dict(self) -> dict[str, Any]:
        """All values, for a checkpoint."""
        return {key: getattr(self, key) for key in STATE}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        values = {key: state_dict[key] for key in STATE}
        for key, value in values.items():
            setattr(self, key, value)
