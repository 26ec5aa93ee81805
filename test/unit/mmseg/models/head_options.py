"""Table of the decode heads, from the files in head_cases: a new head is a file there, with ROWS.

A row, see head_plain.py, is a slow plain form of the head and options to test it with.
"""
from importlib import import_module
from pathlib import Path

import torch

from mmseg.models import build_head
from mmseg.models.decode_heads import BaseCascadeDecodeHead

from .head_plain import HEAD, WIDTHS

FOLDER = Path(__file__).with_name('head_cases')
HEAD_OPTIONS = {name: row for path in sorted(FOLDER.glob('*.py'))
                for name, row in import_module(f'.head_cases.{path.stem}',
                                               __package__).ROWS.items()}
CASES = [(name, number) for name, row in HEAD_OPTIONS.items() for number in range(len(row.options))]


def build(name, number, **changes):
    """The head with its set of options of that number, in training.

    Statistics vary, and parameters that start as 0, which would hide others, have values.
    """
    assert name in HEAD_OPTIONS, f'{name} is registered: add a file for it to {FOLDER}'
    torch.manual_seed(number)
    head = build_head({**HEAD, 'type': name, **HEAD_OPTIONS[name].options[number], **changes})
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(value, 0.5, 1.5)
    for value in head.parameters():
        if not value.any():
            torch.nn.init.uniform_(value, -0.5, 0.5)
    return head


def maps(number=2, dtype=torch.float64):
    """Maps of a backbone with odd sizes."""
    torch.manual_seed(1)
    return [torch.randn(number, width, *size, dtype=torch.float64).to(dtype)
            for width, size in zip(WIDTHS, ((15, 21), (9, 11), (7, 11)), strict=True)]


def previous(head, inputs):
    """What a head gets beside the maps: logits of the head before it, if it is one of a cascade."""
    return (inputs[-1][:, :head.out_channels],) * isinstance(head, BaseCascadeDecodeHead)


def labels(head, number=2):
    """Labels [N, 1, H, W] with ignored pixels."""
    label = torch.randint(head.num_classes, (number, 1, 29, 41))
    label[:, :, :3] = 255
    return label


def losses_and_gradients(head, inputs, label):
    """Losses of a training batch, and gradients of the parameters and of the inputs, by name."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    torch.manual_seed(0)  # some heads draw numbers
    losses = head.forward_train(inputs, *previous(head, inputs), [{}] * len(label), label, None)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    gradients = {name: param.grad for name, param in head.named_parameters()
                 if param.requires_grad}
    gradients.update((f'inputs.{i}', x.grad) for i, x in enumerate(inputs) if x.grad is not None)
    return {name: value.detach() for name, value in losses.items()}, gradients
