"""Mixed precision: the data types of a training step, and the scale of its loss."""
import copy
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import nn

from ...device import low_precision_dtype, make_grad_scaler
from ...utils.errors import ConfigError, NonFiniteLossError
from ...utils.logging import warn_once
from ...utils.section import Range, Section, read_section
from .master_weights import MasterWeights, cast_weights
from .nonfinite_step import first_step_needs_host, gradient_norm, gradient_seed, step_unless

OPT_LEVELS = ('O0', 'O1', 'O2')
LOW_TYPES = {'float16': torch.float16, 'bfloat16': torch.bfloat16}
# mmcv's hooks that turn on mixed precision -> what else they do.
FP16_HOOKS = {'Fp16OptimizerHook': None,
              'GradientCumulativeFp16OptimizerHook': 'GradientCumulativeOptimizerHook'}
# Options of mmcv's Fp16OptimizerHook that have no effect with torch's DDP.
NEEDLESS = ('coalesce', 'bucket_size_mb', 'distributed')


@dataclass(frozen=True)
class PrecisionSettings(Section):
    """`fp16 = dict(...)` and `bf16 = dict(...)` of a config; see Precision."""

    opt_level: Literal['O0', 'O1', 'O2'] = 'O1'
    dtype: Literal['float16', 'bfloat16'] | None = None
    loss_scale: Literal['dynamic'] | Annotated[float, Range(above=0)] | dict = 'dynamic'
    max_skipped: Annotated[int, Range(1), 'steps in a row that may overflow'] = 100


class Precision:
    """Autocast, loss scaling and master weights of a run.

    `opt_level`: O0 is float32; O1 is torch.autocast in `dtype`; O2 also keeps the weights in it,
    except norms, and float32 copies for the optimizer. `dtype`: 'float16', 'bfloat16' or None for
    the device's default. `loss_scale`, for float16: 'dynamic', a fixed number, or a dict of
    arguments of torch.amp.GradScaler. A step whose gradients overflow is skipped; after
    `max_skipped` in a row the run stops.

    `skip_nonfinite`: skip a step whose loss or gradients are not finite without a loss scale too.
    `overflow`: flag on the device, whether the last step was skipped; None between two steps.

    Micikevicius et al., Mixed Precision Training, ICLR 2018, arXiv:1710.03740.
    """

    def __init__(self, device: torch.device | str = 'cpu', opt_level: str = 'O0',
                 dtype: str | None = None,
                 loss_scale: float | str | Mapping[str, Any] = 'dynamic',
                 max_skipped: int = 100) -> None:
        settings = dict(opt_level=opt_level, dtype=dtype, loss_scale=loss_scale,
                        max_skipped=max_skipped)
        read_section(PrecisionSettings, settings, 'Precision')
        self.device = torch.device(device)
        self.opt_level = opt_level
        self.dtype = LOW_TYPES[dtype] if dtype else low_precision_dtype(self.device)
        self.max_skipped = max_skipped
        self.masters: MasterWeights | None = None
        options, self._fixed_scale = _scaler_options(loss_scale)
        needs_scale = self.enabled and self.dtype is torch.float16
        self.scaler = make_grad_scaler(self.device, **options) if needs_scale else None
        self.skip_nonfinite = False
        self.overflow: torch.Tensor | None = None
        # Counted on the device, since reading them makes the host wait.
        self._skipped = torch.zeros(())
        self._skipped_in_row = self._skipped
        self._reported = 0

    @property
    def enabled(self) -> bool:
        return self.opt_level != 'O0'

    @property
    def master_dtype(self) -> torch.dtype | None:
        """Data type of the optimizer's copies of low-precision weights; None without copies."""
        return torch.float32 if self.opt_level == 'O2' else None

    @property
    def computing_dtype(self) -> torch.dtype:
        """Data type of convolutions."""
        return self.dtype if self.enabled else torch.float32

    @property
    def scales_loss(self) -> bool:
        """Whether there is a loss scale, so that overflows are expected."""
        return self.scaler is not None

    def autocast(self) -> AbstractContextManager:
        """Context for every forward pass, in training and evaluation."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.enabled)

    def cast(self, model: nn.Module) -> None:
        """Convert the model's weights to low precision (O2 only); before it is wrapped for DDP."""
        if self.opt_level == 'O2':
            cast_weights(model, self.dtype)

    def attach(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Let the optimizer step float32 copies of the low-precision weights (O2 only)."""
        if self.opt_level == 'O2':
            self.masters = MasterWeights(model, optimizer)

    def backward(self, loss: torch.Tensor) -> None:
        """Accumulate the gradients of the (scaled) loss."""
        self.overflow = None
        seed = gradient_seed(loss) if self.skip_nonfinite else None
        (loss if self.scaler is None else self.scaler.scale(loss)).backward(seed)

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradients by the loss scale; before they are clipped."""
        if self.masters is not None:
            self.masters.take_gradients()
        if self.scaler is not None:
            self.scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, unscaled: bool = False,
             norm: torch.Tensor | None = None) -> None:
        """Step the optimizer unless a gradient overflowed.

        `unscaled`: `unscale` has been called. `norm`: that of all gradients, if it is known.
        """
        if self.masters is not None and not unscaled:
            self.masters.take_gradients()
        if self.scaler is None:
            self._plain_step(optimizer, norm)
        else:
            self._scaled_step(optimizer, unscaled)
        if self.scales_loss or self.skip_nonfinite:
            skipped = self.overflow.float()
            self._skipped = self._skipped + skipped
            self._skipped_in_row = (self._skipped_in_row + skipped) * skipped
        if self.masters is not None:
            self.masters.give_weights()

    def _plain_step(self, optimizer: torch.optim.Optimizer, norm: torch.Tensor | None) -> None:
        self.overflow = ~torch.isfinite(gradient_norm(optimizer) if norm is None else norm)
        if self.skip_nonfinite:
            step_unless(self.overflow, optimizer)
        else:
            optimizer.step()

    def _scaled_step(self, optimizer: torch.optim.Optimizer, unscaled: bool) -> None:
        if first_step_needs_host(optimizer):
            if not unscaled:
                self.scaler.unscale_(optimizer)
            if not sum(self.scaler._found_inf_per_device(optimizer).values()):
                optimizer.step()
        else:
            self.scaler.step(optimizer)
        found = sum(self.scaler._found_inf_per_device(optimizer).values())
        self.overflow = found.reshape(()) > 0
        self.scaler.update(self._fixed_scale)

    def check(self, logger: logging.Logger) -> None:
        """Log skipped steps; NonFiniteLossError after `max_skipped` in a row. The host waits."""
        if not (self.scales_loss or self.skip_nonfinite):
            return
        skipped, in_row = torch.stack([self._skipped, self._skipped_in_row]).tolist()
        what, remedy = 'were not finite', ''
        if self.scales_loss:
            what = f'overflowed (loss scale now {self.scaler.get_scale():g})'
            remedy = ", bfloat16 (bf16 = dict()) or opt_level='O0'"
        if in_row >= self.max_skipped:
            raise NonFiniteLossError(
                f'the gradients of {in_row:.0f} steps in a row {what}: the loss has probably '
                'become infinite. Try a smaller learning rate, a warm-up, '
                f'optimizer_config.grad_clip{remedy}')
        if skipped > self._reported:
            logger.info('%d optimizer steps skipped so far: their gradients %s', skipped, what)
            self._reported = skipped

    def state_dict(self) -> dict[str, Any]:
        """The loss scaler's state; empty without one."""
        return {} if self.scaler is None else self.scaler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the loss scale of a checkpoint."""
        if self.scaler is not None and state:
            if 'cur_scale' in state:  # of mmcv's own LossScaler
                state = {'scale': float(state['cur_scale'])}
            # Scalers of other devices may have settings that the checkpoint lacks.
            self.scaler.load_state_dict({**self.scaler.state_dict(), **state})


def precision_from_config(cfg: Mapping[str, Any], device: torch.device | str) -> Precision:
    """The `Precision` of `fp16 = dict(loss_scale=...)` or `bf16 = dict()`; float32 without them.

    `optimizer_config = dict(type='Fp16OptimizerHook', loss_scale=...)` means fp16 too.
    """
    # An empty dict means the defaults; None and False mean no.
    fp16, bf16 = (cfg.get(key) if cfg.get(key) is not False else None for key in ('fp16', 'bf16'))
    hook = cfg.get('optimizer_config') or {}
    if isinstance(hook, Mapping) and hook.get('type') in FP16_HOOKS:
        fp16 = {'loss_scale': hook.get('loss_scale', 'dynamic'), **(fp16 or {})}
    if fp16 is not None and bf16 is not None:
        raise ConfigError('the config sets fp16 and bf16: keep one of them')
    if bf16 is not None:
        return _build(bf16, 'bf16', device, dtype='bfloat16')
    if fp16 is not None:
        return _build(fp16, 'fp16', device)
    return Precision(device)


def _build(options: Mapping[str, Any] | bool, key: str, device: torch.device | str,
           **fixed: Any) -> Precision:
    settings = read_section(PrecisionSettings, options, key)
    precision = Precision(device, **{**vars(settings), **fixed})
    if key == 'fp16' and precision.dtype is not torch.float16 and settings.dtype is None:
        warn_once(f'fp16: on {precision.device.type} mixed precision computes in bfloat16, which '
                  'needs no loss scale')
    return precision


def without_fp16(optimizer_config: Mapping[str, Any]) -> dict[str, Any]:
    """An `optimizer_config` without the options that `precision_from_config` reads."""
    options = copy.copy(optimizer_config)  # keeps the places that set its keys
    if options.get('type') in FP16_HOOKS:
        plain = FP16_HOOKS[options.pop('type')]
        if plain is not None:
            options['type'] = plain
        options.pop('loss_scale', None)
        for name in NEEDLESS:
            options.pop(name, None)
    return options


def _scaler_options(loss_scale: float | str | Mapping[str, Any],
                    ) -> tuple[dict[str, Any], float | None]:
    """Arguments for the loss scaler, and the scale if it is fixed."""
    if loss_scale == 'dynamic':
        return {}, None
    if isinstance(loss_scale, Mapping):
        options = dict(loss_scale)
        options.pop('mode', None)
        return options, None
    return {'init_scale': float(loss_scale)}, float(loss_scale)
