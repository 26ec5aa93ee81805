"""Every operator on the simulated NPU: no surprises for the device, and the numbers of the host."""
from contextlib import contextmanager

import pytest
import torch
from torch_npu import simulation

from ..mmcv_replace.ops import op_cases as table


@contextmanager
def audit(waits):
    """Nothing inside may surprise the device; the host may wait for it `waits` times."""
    with simulation.counting() as counted:
        yield
    assert sum(counted['host_sync'].values()) <= waits, counted['host_sync']
    for kind in ('blocking_upload', 'boolean_index', 'float64_cast'):
        assert not counted[kind], kind


@pytest.mark.parametrize('case', table.load(), ids=lambda case: case.name)
def test_forward_and_backward(case):
    expected = table.outcome(case, case.run, table.place(case, dtype=torch.float32))
    inputs = table.place(case, 'npu', torch.float32)
    with audit(case.waits):
        results = table.tensors(case.run(*inputs))
    grads = table.gradients(inputs, results, audit(0))
    assert all(y.device.type == 'npu' for y in [*results, *grads])
    table.close([y.detach() for y in [*results, *grads]], expected, 2e-5)
