"""Weighted sums of rows by embedding bags: what they leave to the plain form, and silence."""
import subprocess
import sys

import torch

from mmcv_replace.ops.kernels import bags


def test_more_pairs_than_32_bits_count():
    index, one = torch.zeros(1, 1, dtype=torch.int32), torch.ones(1, 1)
    assert bags.weighted_rows(one, index, one) is not NotImplemented
    table, many = one.expand(2 ** 15, 1), index.expand(2 ** 16, 2 ** 15)
    assert bags.weighted_rows(table, many, one) is NotImplemented


def test_no_warning_of_sparse_matrices():
    code = ('import torch\n'
            'from mmcv_replace.ops.sampling.weighted_rows import weighted_rows\n'
            'table, weight = torch.ones(2, 3), torch.ones(4, 2, requires_grad=True)\n'
            'weighted_rows(table, torch.zeros(4, 2).int(), weight).sum().backward()\n')
    done = subprocess.run([sys.executable, '-W', 'error', '-c', code], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stderr) == (0, '')
