"""Names of weights in torchvision and timm, and those of the same backbones here.

A backbone's weights are recognised by a key that only they have. Layers that classify have no
counterpart here.
"""
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...utils.errors import CheckpointError

OURS = 'ours'
NAMINGS = ('torchvision', 'timm')  # foreign ones


@dataclass(frozen=True)
class Backbone:
    """A kind of backbone: `marks`, a key by which each naming is recognised, and its `modules`.

    `modules`: naming -> pairs of our name of a module and theirs. All other modules whose names
    match `same` have equal names.
    """

    name: str
    marks: Mapping[str, str]
    modules: Mapping[str, Callable[[], Iterable[tuple[str, str]]]]
    same: str = '$^'  # matches nothing


def translate(state: Mapping[str, Any], to: str) -> tuple[dict[str, Any], list[str]]:
    """The weights of a backbone in the names of `to` (OURS or one of NAMINGS), and what has none.

    Raises CheckpointError for a backbone that is not known, or that `to` does not have.
    """
    backbone, naming = recognise(state)
    if to not in backbone.marks:
        having = [name for name in NAMINGS if name in backbone.marks]
        raise CheckpointError(f'{to} has no {backbone.name}; {" and ".join(having)} has it')
    names = _table(backbone, naming, to)
    same = re.compile(backbone.same)
    found, left = {}, []
    for key, value in state.items():
        module, _, leaf = str(key).rpartition('.')
        new = names.get(module, module if same.match(module) else None)
        if new is None:
            left.append(str(key))
        else:
            found[f'{new}.{leaf}'] = value
    return found, left


def renames(name: str, naming: str) -> tuple[tuple[str, str], ...]:
    """(pattern of a key, replacement) from the names of `naming` to ours, of one backbone."""
    backbone, = (each for each in BACKBONES if each.name == name)
    return tuple((rf'^{re.escape(theirs)}\.', f'{ours}.')
                 for ours, theirs in backbone.modules[naming]())


def recognise(state: Mapping[str, Any]) -> tuple[Backbone, str]:
    """The backbone of a state and the naming of its keys; CheckpointError for others."""
    for backbone in BACKBONES:
        for naming, mark in backbone.marks.items():
            if mark in state:
                return backbone, naming
    names = ', '.join(str(key) for key in list(state)[:4])
    raise CheckpointError(f'these are no weights of a known backbone (their keys: {names}, ...): '
                          f'known are {", ".join(each.name for each in BACKBONES)}, by the names '
                          f'of {", ".join(NAMINGS)} or ours')


def _table(backbone: Backbone, source: str, target: str) -> dict[str, str]:
    """Module names of `source` -> of `target`, by way of ours; both may be ours, too."""
    of_source, of_target = (dict(backbone.modules.get(naming, tuple)())
                            for naming in (source, target))
    ours = [name for pairs in backbone.modules.values() for name, _ in pairs()]
    return {of_source.get(name, name): of_target.get(name, name) for name in ours}


def _deep_stem() -> Iterable[tuple[str, str]]:
    """The stem of ResNetV1c and V1d: in timm, `conv1` lacks its last norm."""
    yield from ((f'stem.{i}', f'conv1.{i}') for i in (0, 1, 3, 4, 6))
    yield 'stem.7', 'bn1'


REPEATS_V2 = (1, 2, 3, 4, 3, 3, 1)  # blocks of each stage of MobileNetV2


def _v2_torchvision() -> Iterable[tuple[str, str]]:
    yield from _conv_bn('conv1', 'features.0', '0', '1')
    number = 0
    for stage, repeats in enumerate(REPEATS_V2, 1):
        for i in range(repeats):
            number += 1
            ours, theirs = f'layer{stage}.{i}.conv', f'features.{number}.conv'
            last = 1 if stage == 1 else 2  # the first block has no expansion
            for j in range(last):
                yield from _conv_bn(f'{ours}.{j}', f'{theirs}.{j}', '0', '1')
            yield from _conv_bn(f'{ours}.{last}', theirs, f'{last}', f'{last + 1}')


def _v2_timm() -> Iterable[tuple[str, str]]:
    yield from _conv_bn('conv1', '', 'conv_stem', 'bn1')
    for stage, repeats in enumerate(REPEATS_V2, 1):
        for i in range(repeats):
            convs = ['conv_dw', 'conv_pw'] if stage == 1 else ['conv_pw', 'conv_dw', 'conv_pwl']
            for j, conv in enumerate(convs):
                yield from _conv_bn(f'layer{stage}.{i}.conv.{j}', f'blocks.{stage - 1}.{i}', conv,
                                    f'bn{j + 1}')


# MobileNetV3: blocks of each stage, and the numbers of the blocks with squeeze and excitation.
LARGE = (1, 2, 3, 4, 2, 3), (4, 5, 6, 11, 12, 13, 14, 15)
SMALL = (1, 2, 3, 2, 3), (1, 4, 5, 6, 7, 8, 9, 10, 11)


def _v3_torchvision(repeats: tuple[int, ...], excited: tuple[int, ...]
                    ) -> Iterable[tuple[str, str]]:
    yield from _conv_bn('layer0', 'features.0', '0', '1')
    for number in range(1, sum(repeats) + 1):
        ours, theirs = f'layer{number}', f'features.{number}.block'
        for place, part in enumerate(_parts(number, excited)):
            if part == 'se':
                yield f'{ours}.se.conv1.conv', f'{theirs}.{place}.fc1'
                yield f'{ours}.se.conv2.conv', f'{theirs}.{place}.fc2'
            else:
                yield from _conv_bn(f'{ours}.{part}', f'{theirs}.{place}', '0', '1')
    last = sum(repeats) + 1
    yield from _conv_bn(f'layer{last}', f'features.{last}', '0', '1')


def _v3_timm(repeats: tuple[int, ...], excited: tuple[int, ...]) -> Iterable[tuple[str, str]]:
    yield from _conv_bn('layer0', '', 'conv_stem', 'bn1')
    number = 0
    for stage, count in enumerate(repeats):
        for i in range(count):
            number += 1
            ours, theirs = f'layer{number}', f'blocks.{stage}.{i}'
            parts = _parts(number, excited)
            convs = ['conv_dw', 'conv_pw'] if number == 1 else ['conv_pw', 'conv_dw', 'conv_pwl']
            for j, (part, conv) in enumerate(zip(
                    [part for part in parts if part != 'se'], convs, strict=True), 1):
                yield from _conv_bn(f'{ours}.{part}', theirs, conv, f'bn{j}')
            if 'se' in parts:
                yield f'{ours}.se.conv1.conv', f'{theirs}.se.conv_reduce'
                yield f'{ours}.se.conv2.conv', f'{theirs}.se.conv_expand'
    yield from _conv_bn(f'layer{number + 1}', f'blocks.{len(repeats)}.0', 'conv', 'bn1')


def _parts(number: int, excited: tuple[int, ...]) -> list[str]:
    """The parts of a block of MobileNetV3 in their order."""
    return [*(['expand_conv'] if number > 1 else []), 'depthwise_conv',
            *(['se'] if number in excited else []), 'linear_conv']


def _conv_bn(ours: str, theirs: str, conv: str, norm: str) -> Iterable[tuple[str, str]]:
    """The two modules of a ConvModule, which are `conv` and `norm` in `theirs`."""
    dot = '.' if theirs else ''
    yield f'{ours}.conv', f'{theirs}{dot}{conv}'
    yield f'{ours}.bn', f'{theirs}{dot}{norm}'


def _v3(name: str, last: int, stage: int, table: tuple) -> Backbone:
    return Backbone(
        name,
        {OURS: f'layer{last}.conv.weight', 'torchvision': f'features.{last}.0.weight',
         'timm': f'blocks.{stage}.0.conv.weight'},
        {'torchvision': lambda: _v3_torchvision(*table), 'timm': lambda: _v3_timm(*table)})


BACKBONES = (
    Backbone('HRNet', {OURS: (mark := 'stage2.0.branches.0.0.conv1.weight'), 'timm': mark}, {},
             r'(conv|bn)[12]$|layer1\.|transition\d\.|stage\d\.'),
    _v3('MobileNetV3 (large)', 16, 6, LARGE),
    _v3('MobileNetV3 (small)', 12, 5, SMALL),
    Backbone('MobileNetV2',
             {OURS: 'layer1.0.conv.0.conv.weight', 'torchvision': 'features.1.conv.0.0.weight',
              'timm': 'blocks.6.0.conv_dw.weight'},
             {'torchvision': _v2_torchvision, 'timm': _v2_timm}),
    Backbone('ResNet, ResNeXt or ResNeSt with a deep stem',
             {OURS: 'stem.0.weight', 'timm': 'conv1.0.weight'}, {'timm': _deep_stem}, r'layer\d\.'),
    Backbone('ResNet or ResNeXt',
             dict.fromkeys((OURS, *NAMINGS), 'layer1.0.conv1.weight'), {},
             r'(conv|bn)1$|layer\d\.'),
)
