"""What must hold for every module from tensors to feature maps, whatever it computes.

Each check takes `build`, a function that makes the module (the same weights at each call), and
`inputs`, a function from a batch size and a dtype to its argument, with seeded values.
"""
import copy
import io
from itertools import pairwise

import torch
from torch import nn

from mmcv_replace.cnn import fuse_conv_bn
from mmcv_replace.cnn.utils.fuse_conv_bn import _foldable


def as_list(outs):
    return [outs] if isinstance(outs, torch.Tensor) else list(outs)


def randomise_norms(module):
    """Statistics and weights with which a batch norm does something."""
    generator = torch.Generator().manual_seed(3)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            for value in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                with torch.no_grad():
                    value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    return module


def check_gradients(build, inputs, dtype):
    module = build().to(dtype).train()
    outs = as_list(module(inputs(2, dtype)))
    assert all(out.dtype == dtype for out in outs)
    sum(out.square().mean() for out in outs).backward()
    for name, param in module.named_parameters():
        assert param.grad is not None, name
        assert torch.isfinite(param.grad).all(), name


def check_pictures_are_independent(build, inputs):
    """A picture alone and in a batch gets the same maps."""
    module = randomise_norms(build()).double().eval()
    batch = inputs(3, torch.float64)
    with torch.no_grad():
        together = as_list(module(batch))
        for i in range(3):
            alone = ([x[i:i + 1] for x in batch] if isinstance(batch, list) else batch[i:i + 1])
            for part, whole in zip(as_list(module(alone)), together, strict=True):
                torch.testing.assert_close(part[0], whole[i])


def check_evaluation_leaves_training_alone(build, inputs):
    """Eval, then train: the results and the state of a module that was never in eval mode."""
    found = []
    for evaluate in (False, True):
        module = build()
        if evaluate:
            before = copy.deepcopy(module.state_dict())
            module.eval()(inputs(2, torch.float32))
            for key, value in module.state_dict().items():
                assert torch.equal(value, before[key]), key
        outs = as_list(module.train()(inputs(2, torch.float32)))
        sum(out.square().mean() for out in outs).backward()
        found.append([*outs, *module.state_dict().values(),
                      *(param.grad for param in module.parameters() if param.grad is not None)])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def check_save_and_load(build, inputs):
    source, target = randomise_norms(build()).eval(), build().eval()
    with torch.no_grad():
        for param in target.parameters():
            param.add_(1)
        file = io.BytesIO()
        torch.save(source.state_dict(), file)
        file.seek(0)
        target.load_state_dict(torch.load(file, weights_only=True))
        x = inputs(1, torch.float32)
        for one, other in zip(as_list(source(x)), as_list(target(x)), strict=True):
            assert torch.equal(one, other)


def check_bfloat16(build, inputs):
    """Near float32, as a module and under autocast."""
    module = build().eval()
    with torch.no_grad():
        expected = as_list(module(inputs(2, torch.float32)))
        with torch.autocast('cpu', torch.bfloat16):
            cast = as_list(module(inputs(2, torch.float32)))
        low = as_list(module.to(torch.bfloat16)(inputs(2, torch.bfloat16)))
    for exact, *near in zip(expected, cast, low, strict=True):
        for each in near:
            assert each.dtype == torch.bfloat16
            assert (each.float() - exact).norm() <= 0.05 * exact.norm()


def check_export(build, inputs):
    """torch.export makes a graph with the same values, for an input that it has not seen."""
    module = randomise_norms(build()).eval()
    with torch.no_grad():
        graph = torch.export.export(module, (inputs(1, torch.float32),)).module()
        x = inputs(1, torch.float32, seed=7)
        for one, other in zip(as_list(graph(x)), as_list(module(x)), strict=True):
            torch.testing.assert_close(one, other)


def check_folding(build, inputs):
    """Batch norms fold into convolutions by what the classes declare, with the same values."""
    module = randomise_norms(build()).double().eval()
    x = inputs(2, torch.float64)
    with torch.no_grad():
        plain = as_list(module(x))
        folded = as_list(fuse_conv_bn(module, declared_only=True)(x))
    for one, other in zip(folded, plain, strict=True):
        torch.testing.assert_close(one, other)
    for parent in module.modules():
        layers = [None, *parent.children()]
        assert not any(_foldable(*pair) for pair in pairwise(layers)), parent


CHECKS = (check_pictures_are_independent, check_evaluation_leaves_training_alone,
          check_save_and_load, check_bfloat16, check_export, check_folding)
