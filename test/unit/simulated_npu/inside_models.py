"""Every backbone, head and loss on the simulated NPU against the same on the CPU."""
import pytest
import torch

from mmseg.models import build_backbone, build_loss

from ..mmseg.models import backbone_options as backbones
from ..mmseg.models import head_options as heads
from ..mmseg.models import loss_options as losses


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.device.type == 'npu', name
        torch.testing.assert_close(value.cpu(), expected[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(('name', 'index'), backbones.EACH)
def test_backbones(name, index):
    options = backbones.CASES[name][index][0]
    size = backbones.fitting(build_backbone(dict(options, type=name)))
    x = backbones.images(2, options.get('in_channels', 3), size)
    found = []
    for device in ('cpu', 'npu'):
        torch.manual_seed(0)
        model = build_backbone(dict(options, type=name)).train().to(device)
        maps = model(x.to(device))
        assert all(each.device.type == device for each in maps)
        grad, = torch.autograd.grad(sum(each.square().mean() for each in maps),
                                    [next(model.parameters())])
        found.append((*(each.cpu() for each in maps), grad.cpu()))
    for own, other in zip(*found, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-2, atol=1e-4)


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
