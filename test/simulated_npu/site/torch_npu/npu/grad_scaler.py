"""torch_npu's loss scaler, with the real one's traps.

Besides torch's arguments it has `dynamic`: False keeps the scale and looks for no overflow. It
reads from the device several times in a step, prints what it does with the scale, and refuses
torch's own fused optimizers and the states of torch's scaler.
"""
from collections import defaultdict

import torch
from torch.amp.grad_scaler import OptState, _refresh_per_optimizer_state


class GradScaler(torch.amp.GradScaler):
    def __init__(self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5,
                 growth_interval=2000, dynamic=True, enabled=True):
        # Not by torch's constructor: the real scaler lacks the attributes that only that sets.
        self._enabled = enabled
        if not enabled:
            return
        if growth_factor <= 1.0:
            raise ValueError('The growth factor must be > 1.0.')
        if backoff_factor >= 1.0:
            raise ValueError('The backoff factor must be < 1.0.')
        self._init_scale = init_scale
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._dynamic = dynamic
        self._init_growth_tracker = 0
        self._scale = self._growth_tracker = None
        self._has_overflow = False
        self._forget_steps()

    def _forget_steps(self):
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _lazy_init_scale_growth_tracker(self, dev):
        self._scale = _upload(self._init_scale, torch.float32, dev)
        self._growth_tracker = _upload(self._init_growth_tracker, torch.int32, dev)

    def unscale_(self, optimizer):
        if not self._enabled:
            return
        self._check_scale_growth_tracker('unscale_')
        state = self._per_optimizer_states[id(optimizer)]
        if state['stage'] is OptState.UNSCALED:
            raise RuntimeError('unscale_() has already been called on this optimizer since the '
                               'last update().')
        if state['stage'] is OptState.STEPPED:
            raise RuntimeError('unscale_() is being called after step().')
        found_inf = _upload(0.0, torch.float32, self._scale.device)
        state['found_inf_per_device'] = self._unscale_grads_(
            optimizer, self._scale.reciprocal(), found_inf, allow_fp16=False)
        state['stage'] = OptState.UNSCALED

    @torch.no_grad()
    def _unscale_grads_(self, optimizer, inv_scale, found_inf, allow_fp16):
        for grads in _grads_by_dtype(optimizer, allow_fp16):
            if not self._dynamic:
                torch._foreach_mul_(grads, inv_scale)
                continue
            torch._amp_foreach_non_finite_check_and_unscale_(grads, found_inf, inv_scale)
            if found_inf.item() > 0:
                self._has_overflow = True
        if self._has_overflow:
            found_inf.add_(1)
        return {found_inf.device: found_inf}

    def step(self, optimizer, *args, **kwargs):
        if self._enabled and getattr(optimizer, '_step_supports_amp_scaling', False):
            return optimizer.step(*args, grad_scaler=self, **kwargs)
        return super().step(optimizer, *args, **kwargs)

    def _maybe_opt_step(self, optimizer, optimizer_state, *args, **kwargs):
        if not self._dynamic:
            return optimizer.step(*args, **kwargs)
        found = sum(inf.item() for inf in optimizer_state['found_inf_per_device'].values())
        if not found and not self._has_overflow:
            return optimizer.step(*args, **kwargs)
        print('Gradient overflow. Skipping step')
        return None

    def update(self, new_scale=None):
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker('update')
        if new_scale is not None:
            if not isinstance(new_scale, float):
                raise TypeError('new_scale should be a float')
            self._scale = _upload(new_scale, torch.float32, scale.device)
        elif self._dynamic:
            self._update_scale()
        self._forget_steps()
        self._has_overflow = False

    def _update_scale(self):
        if self._has_overflow:
            self._scale.mul_(self._backoff_factor)
            self._growth_tracker.zero_()
            print(f'Loss scaler reducing loss scale to {self._scale.item()}')
            return
        self._growth_tracker.add_(1)
        if self._growth_tracker.item() == self._growth_interval:
            self._scale.mul_(self._growth_factor)
            self._growth_tracker.zero_()
            print(f'Loss scaler increasing loss scale to {self._scale.item()}')

    def state_dict(self):
        return {**super().state_dict(), **({'dynamic': self._dynamic} if self._enabled else {})}

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        if self._enabled:
            self._dynamic = state_dict['dynamic']


def _upload(value, dtype, device):
    return torch.full((), value, dtype=dtype).pin_memory().to(device, non_blocking=True)


def _grads_by_dtype(optimizer, allow_fp16):
    """Lists of gradients of one dtype; of a fused optimizer the tensors that hold them all."""
    if hasattr(optimizer, 'is_fused_optimizer'):
        optimizer._maybe_init_combined_params_and_grads()
        return [[combined] for combined in optimizer.grads_all_group_combined]
    grads = defaultdict(list)
    for group in optimizer.param_groups:
        for parameter in group['params']:
            if parameter.grad is not None:
                if parameter.grad.dtype == torch.float16 and not allow_fp16:
                    raise TypeError('Attempting to unscale FP16 gradients.')
                grads[parameter.grad.dtype].append(parameter.grad)
    return list(grads.values())
