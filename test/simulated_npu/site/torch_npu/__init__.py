"""A stand-in for torch_npu: an NPU whose memory and kernels are the host's.

On the path before torch_npu's own (PYTHONPATH=test/simulated_npu/site) it makes `import torch_npu`
and the device type 'npu' work on any machine with a C++ compiler. It claims the device type of the
process for good, so a process that has imported it cannot go back.
"""
import os

# Torch imports this package by its entry point; here torch is the one that is imported by it.
_autoload_switch = os.environ.get('TORCH_DEVICE_BACKEND_AUTOLOAD', '1')
os.environ['TORCH_DEVICE_BACKEND_AUTOLOAD'] = '0'

import torch  # noqa: E402

os.environ['TORCH_DEVICE_BACKEND_AUTOLOAD'] = _autoload_switch

from . import _library  # noqa: E402

__version__ = '2.13.0'

_library.load()
torch.utils.rename_privateuse1_backend('npu')

from . import npu  # noqa: E402

torch._register_device_module('npu', npu)
torch.utils.generate_methods_for_privateuse1_backend()

from . import distributed, optim, profiler, simulation  # noqa: E402
from .deformable import npu_deformable_conv2d  # noqa: E402

distributed.register()

__all__ = ['__version__', 'distributed', 'npu', 'npu_deformable_conv2d', 'optim', 'profiler',
           'simulation']


def _autoload() -> None:
    """What torch calls on import, by the entry point in the folder beside this package."""
