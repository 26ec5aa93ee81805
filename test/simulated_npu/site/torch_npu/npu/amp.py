"""Mixed precision: the types, and the names that torch_npu has for it."""
import functools
import os

import torch

from .grad_scaler import GradScaler

__all__ = ['GradScaler', 'autocast', 'get_amp_supported_dtype', 'is_bf16_supported']

autocast = functools.partial(torch.amp.autocast, 'npu')


def is_bf16_supported(including_emulation=False):
    """True, or with SIMULATED_NPU_BF16=0 False as on the first generation of the devices."""
    return os.environ.get('SIMULATED_NPU_BF16', '1') != '0'


def get_amp_supported_dtype():
    return [torch.float16, *[torch.bfloat16] * is_bf16_supported(), torch.float32]
