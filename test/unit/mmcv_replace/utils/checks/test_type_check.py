import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import pytest
import torch
from torch import Tensor, nn

from mmcv_replace.utils import ConfigDict, Registry
from mmcv_replace.utils.checks import type_check as module
from mmcv_replace.utils.checks.type_check import Range, annotations_of, fits, in_words, misfits
from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import ArgumentError, ConfigError, UserError


@pytest.mark.parametrize(('annotation', 'good', 'bad'), [
    (int, [0, -3, 10**30], [True, 1.0, '1', None, [1], float('nan')]),
    (float, [0, 0.5, float('inf')], [True, '1', None, float('nan')]),
    (bool, [True, False, 0, 1], [2, -1, 0.0, 'x', None]),
    (str, ['', 'a'], [1, None, ['a']]),
    (None, [None], [0, '']),
    (int | None, [None, 1], ['a', 1.5]),
    (Optional[float], [None, 1], ['a']),  # noqa: UP007, UP045
    (dict, [{}, ConfigDict(a=1)], [[], 'a']),
    (Mapping[str, int], [{}], [[('a', 1)]]),
    (Sequence[int], [[], (1, 2)], ['ab', [1, 'a'], 3, {}]),
    (Sequence[Sequence[int]], [[[1], (2, 3)]], [[1], [['a']]]),
    (list[str] | str, ['a', ['a']], [['a', 1]]),
    (tuple[int, float], [(1, 2), [1, 0.5]], [(1,), (1, 2, 3), (0.5, 1), 1]),
    (tuple[int, ...], [(), (1, 2, 3)], [(1, 'a')]),
    (tuple, [(), (1, 'a')], [1]),
    (Tensor, [], [1, 'a', None]),
    (str | Path, ['a'], [1]),
    (Callable[[int], int], [], ['a', 3]),
    (object, [1, None], []),
    (Any, [1, None], []),
    ('a name that is not looked up', [1, None], []),
])
def test_which_values_fit(annotation, good, bad):
    assert [value for value in good if not fits(value, annotation)] == []
    assert [value for value in bad if fits(value, annotation)] == []


def test_objects_are_their_authors_affair():
    assert fits(nn.ReLU(), int)
    assert fits(range(3), Sequence[str])


@pytest.mark.parametrize(('annotation', 'text'), [
    (int | None, 'int | None'), (Sequence[int], 'Sequence[int]'), (dict, 'dict'),
    (tuple[float, float], 'tuple[float, float]'), (Tensor | str, 'Tensor | str'),
    (tuple[int, ...], 'tuple[int, ...]'), (list[Path], 'list[Path]'),
    (Annotated[float, Range(above=0, most=0.9)], 'float above 0, up to 0.9'),
    (Annotated[float, Range(most=0.9)], 'float up to 0.9'),
    (tuple[Annotated[int, Range(1)], float] | None, 'tuple[int from 1 on, float] | None')])
def test_words(annotation, text):
    assert in_words(annotation) == text


class Base:
    def __init__(self, size: int, name: str = '') -> None:
        self.size = 1 / size


class Part(Base):
    def __init__(self, ratio: float = 1.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if ratio < 0:
            raise ConfigError(f'ratio={ratio}: give more')


class Closed(Base):
    def __init__(self) -> None:
        super().__init__(1)


def test_annotations_are_those_of_all_constructors_that_kwargs_reach():
    assert annotations_of(Part) == dict(ratio=float, kwargs=object, size=int, name=str)
    assert annotations_of(Closed) == {}
    assert list(misfits(Part, dict(ratio='x', size=1, name=3, more=4))) == [
        ('ratio', 'float'), ('name', 'str')]


@pytest.fixture
def parts(monkeypatch):
    registry = Registry('part')
    for name, cls in (('Part', Part), ('Linear', nn.Linear), ('Fixed', Fixed)):
        registry.register_module(name, module=cls)
    monkeypatch.setattr(module, 'ANNOTATED', ['torch', __name__.partition('.')[0]])
    return registry


@pytest.mark.parametrize(('cfg', 'error', 'message'), [
    (dict(type='Part', size='x'), ArgumentError, "'Part': size='x' does not fit, it takes int"),
    (dict(type='Part', size=2, name=3), ArgumentError, 'name=3 does not fit, it takes str'),
    (dict(type='Part', size=0), ConfigError, "'Part' cannot be built from .*size.*: ZeroDivision"),
    (dict(type='Part', size=1, ratio=-1), ConfigError, 'ratio=-1: give more'),
    (dict(type='Fixed', size=1, name='x'), ArgumentError, "'Fixed' sets 'name' itself: leave"),
    (dict(type='Linear', in_features=1, out_features='x'), ArgumentError, "out_features='x'"),
    (dict(type='Linear', in_features=-1, out_features=1), ConfigError, 'cannot be built.*negative'),
])
def test_wrong_settings_of_components_of_ours(parts, cfg, error, message):
    with pytest.raises(error, match=message):
        parts.build(cfg)


class Fixed(Part):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(name='fixed', **kwargs)


class Faulty:
    def __init__(self, fault: str = 'key', size: int = 1) -> None:
        FAULTS[fault](size)


FAULTS = {
    'key': lambda size: {}['inner'], 'index': lambda size: [][size],
    'attribute': lambda size: size.missing, 'type': lambda size: len(size),
    'runtime': lambda size: torch.ones(2).reshape(3), 'memory': lambda size: bytearray(1 << 60),
    'host': lambda size: torch.empty(1 << 56), 'huge': lambda size: torch.empty(1 << 62, 1 << 9)}


@pytest.mark.parametrize(('fault', 'kind'), [
    ('key', KeyError), ('index', IndexError), ('attribute', AttributeError), ('type', TypeError),
    ('runtime', RuntimeError), ('memory', MemoryError), ('host', RuntimeError),
    ('huge', RuntimeError)])
def test_faults_inside_of_a_component_of_ours_stay_what_they_are(parts, fault, kind):
    parts.register_module(module=Faulty)
    with pytest.raises(kind) as raised:
        parts.build(dict(type='Faulty', fault=fault))
    assert not isinstance(raised.value, UserError)
    assert "while building part 'Faulty'" in ''.join(traceback.format_exception(raised.value))
    assert is_out_of_memory(raised.value) == (fault in ('memory', 'host', 'huge'))
    with pytest.raises(ArgumentError, match="size='x' does not fit, it takes int"):
        parts.build(dict(type='Faulty', fault=fault, size='x'))


def test_a_layer_of_torch_without_memory(parts):
    with pytest.raises(RuntimeError) as raised:
        parts.build(dict(type='Linear', in_features=1 << 30, out_features=1 << 26))
    assert not isinstance(raised.value, UserError)


def test_who_set_a_value_is_said(parts):
    cfg = ConfigDict(type='Part', size='x')
    cfg._origins['size'] = ('a.py',)
    with pytest.raises(ArgumentError, match=r"size='x' \(set by a\.py\) does not fit"):
        parts.build(cfg)


def test_components_of_users_are_called_as_they_are(parts, monkeypatch):
    monkeypatch.setattr(module, 'ANNOTATED', ['torch'])
    assert parts.build(dict(type='Part', size=2, name=3)).size == 0.5
    with pytest.raises(ZeroDivisionError):
        parts.build(dict(type='Part', size=0))


def test_errors_of_a_users_component_pass_through_ours(parts):
    class Outer:
        __module__ = 'mmcv_replace.test'

        def __init__(self, inner: dict) -> None:
            module.ANNOTATED.remove(__name__.partition('.')[0])
            parts.build(inner)

    module.ANNOTATED.append('mmcv_replace')
    parts.register_module(module=Outer)
    with pytest.raises(ZeroDivisionError):
        parts.build(dict(type='Outer', inner=dict(type='Part', size=0)))
