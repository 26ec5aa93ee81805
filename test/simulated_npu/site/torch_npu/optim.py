"""torch_npu's fused optimizers: torch's arithmetic, their constraints.

At the first step all parameters of one dtype, and their gradients, are moved into one piece of
memory that the kernels then work on. Whatever takes a parameter out of it later (a new `.data`,
`zero_grad(set_to_none=True)`, a move to another device) goes unnoticed on the real device and
leaves the parameter untrained; here it is an error.
"""
import torch


class _Fused(torch.optim.Optimizer):
    is_fused_optimizer = True

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.is_params_grads_combined = False
        self.params_all_group_combined = []
        self.grads_all_group_combined = []
        self._places = {}  # of each fused parameter: the addresses of its data and gradient

    def _with_grad(self):
        return [p for group in self.param_groups for p in group['params'] if p.grad is not None]

    def _maybe_init_combined_params_and_grads(self):
        parameters = self._with_grad()
        if self.is_params_grads_combined or not parameters:
            return
        for parameter in parameters:
            if parameter.dtype not in (torch.float32, torch.float16):
                raise TypeError("Fused optimizer's parameters must be either float32 or float16, "
                                f'but received {parameter.dtype}')
            for tensor in (parameter, parameter.grad):
                if tensor.device.type != 'npu':
                    raise RuntimeError('Tensors to combine must be on NPU, got '
                                       f'{tensor.device.type}.')
                if not tensor.is_contiguous():
                    raise RuntimeError('Tensors to combine must be contiguous.')
        for dtype in (torch.float32, torch.float16):
            fused = [p for p in parameters if p.dtype == dtype]
            if fused:
                self.params_all_group_combined.append(_combine(fused))
                self.grads_all_group_combined.append(_combine([p.grad for p in fused]))
        self._places = {p: _addresses(p) for p in parameters}
        self.is_params_grads_combined = True

    def _check_places(self):
        for parameter in self._with_grad():
            if parameter not in self._places:
                raise RuntimeError(f'{type(self).__name__}: a parameter of shape '
                                   f'{tuple(parameter.shape)} had no gradient at the first step '
                                   'and is not trained')
        for parameter, place in self._places.items():
            if parameter.grad is None or _addresses(parameter) != place:
                raise RuntimeError(f'{type(self).__name__}: a parameter of shape '
                                   f'{tuple(parameter.shape)}, or its gradient, was re-allocated '
                                   'after the first step and is no longer trained')

    @torch.no_grad()
    def step(self, closure=None):
        if self.is_params_grads_combined:
            self._check_places()
        self._maybe_init_combined_params_and_grads()
        return super().step(closure)

    @torch.no_grad()
    def zero_grad(self, set_to_none=False):
        if set_to_none:
            raise ValueError('set_to_none is not supported in fused optimizers')
        self._maybe_init_combined_params_and_grads()
        for grads in self.grads_all_group_combined:
            grads.zero_()

    def load_state_dict(self, state_dict):
        if self.state and self.is_params_grads_combined:
            raise RuntimeError(f'{type(self).__name__}: the state is fused at the first step, and '
                               'one that is loaded later is not used')
        super().load_state_dict(state_dict)

    def clip_grad_norm_fused_(self, max_norm, norm_type=2):
        self._maybe_init_combined_params_and_grads()
        return torch.nn.utils.clip_grad_norm_(self._with_grad(), max_norm, norm_type)


def _combine(tensors):
    """Move tensors of one dtype into one piece of memory, and return it."""
    combined = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    for tensor, part in zip(tensors, combined.split([t.numel() for t in tensors]), strict=True):
        tensor.data = part.view(tensor.shape)
    return combined


def _addresses(parameter):
    return parameter.data_ptr(), parameter.grad.data_ptr()


class NpuFusedSGD(_Fused, torch.optim.SGD):
    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0,
                 nesterov=False):
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening,
                         weight_decay=weight_decay, nesterov=nesterov)


class NpuFusedAdam(_Fused, torch.optim.Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
                 amsgrad=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
                         amsgrad=amsgrad)


class NpuFusedAdamW(_Fused, torch.optim.AdamW):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2,
                 amsgrad=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
                         amsgrad=amsgrad)
