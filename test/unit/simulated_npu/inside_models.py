"""Every head and loss on the simulated NPU against the same on the CPU."""
import importlib.util
from pathlib import Path

import pytest
import torch

from mmseg.models import build_loss


def load(name):
    spec = importlib.util.spec_from_file_location(
        name, Path(__file__).parents[1] / 'mmseg/models' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


heads, losses = load('head_options'), load('loss_options')


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.device.type == 'npu', name
        torch.testing.assert_close(value.cpu(), expected[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('case', heads.CASES, ids='{0[0]}-{0[1]}'.format)
def test_heads(case):
    head, inputs = heads.build(*case), heads.maps(dtype=torch.float32)
    label = heads.labels(head)
    expected = heads.losses_and_gradients(head, inputs, label)
    found = heads.losses_and_gradients(heads.build(*case).to('npu'),
                                       [x.to('npu') for x in inputs], label.to('npu'))
    for own, other in zip(found, expected, strict=True):
        close(own, other)


@pytest.mark.parametrize(('name', 'options'), [
    (name, options) for name, row in losses.LOSS_OPTIONS.items() for options in row[1:]])
def test_losses(name, options):
    results = []
    for device in ('npu', 'cpu'):
        logits, label = (x.to(device) for x in losses.sample(dtype=torch.float32))
        logits.requires_grad_()
        value = build_loss(dict(type=name, **options))(logits, label, ignore_index=losses.IGNORE)
        value.backward()
        results.append(dict(value=value.detach(), gradient=logits.grad))
    close(*results)
