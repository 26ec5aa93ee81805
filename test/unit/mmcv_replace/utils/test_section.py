"""Sections of a config, read into dataclasses."""
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.section import Keys, Range, Section, read_section, section_problems


@dataclass(frozen=True)
class Cache(Section):
    SHORT = 'level'
    level: Literal['decoded', 'resized']
    max_gb: Annotated[float, Range(above=0), 'memory'] = 8.0


@dataclass(frozen=True)
class Data(Section):
    cache: Annotated[str | dict | None, Cache] = None
    workers: Annotated[int | None, Range(0, 9), 'processes'] = None
    ddp: Annotated[dict | None, Keys(dict(
        module=Any, bucket_cap_mb=Annotated[int, Range(1)]))] = None
    hook: Annotated[dict | None, Keys(dict(interval=int), closed=False)] = None

    @classmethod
    def allows(cls, value):
        return isinstance(value, dict)


@pytest.mark.parametrize(('value', 'expected'), [
    (None, None), ('decoded', Cache('decoded')),
    (dict(level='resized', max_gb=1), Cache('resized', 1)), (Config(dict(level='resized')),
                                                             Cache('resized', 8.0))])
def test_a_section_with_a_short_form(value, expected):
    assert read_section(Cache, value, 'cache') == expected


def test_sections_inside_a_section():
    assert read_section(Data, True, 'data') == Data()
    assert read_section(Data, False, 'data') is None
    assert read_section(Data, dict(cache='decoded', workers=3, other={}), 'data') == Data(
        Cache('decoded'), 3)
    assert read_section(Data, dict(cache=None), 'data') == Data()


@pytest.mark.parametrize(('value', 'message'), [
    (3, r'data=3 does not fit, it takes dict'),
    ('dict(workers=1)', r'on a command line data="dict\(NAME=VALUE\)", without quotes'),
    (dict(workers=10), r'data\.workers=10 does not fit, it takes int from 0 to 9 \| None: proc'),
    (dict(workers=True), r'data\.workers=True does not fit'),
    (dict(workers=float('nan')), r'data\.workers=nan does not fit'),
    (dict(cache='all'), r"data\.cache='all' does not fit, it takes 'decoded' \| 'resized'"),
    (dict(cache=False), r'data\.cache=False does not fit'),
    (dict(cache=True), r'data\.cache=True does not fit'),
    (dict(cache=dict(max_gb=3)), r"data\.cache=\{'max_gb': 3\} lacks level"),
    (dict(cache=dict(level='decoded', max_gb=0)), r'data\.cache\.max_gb=0 .* float above 0: mem'),
    (dict(cache=dict(level='decoded', max_gbs=1)), r'max_gbs is no setting: data\.cache takes l'),
    (dict(colour='red'), r'data\.colour is no setting: data takes cache, workers, ddp, hook$'),
    (dict(max_gb=2), r'data\.max_gb is no setting: .*, hook; it belongs in data\.cache$'),
    (dict(workrs={}), r"data\.workrs is no setting and would be ignored; .*'data\.workers'"),
    (dict(ddp=dict(other=1)), r'data\.ddp\.other is no setting: data\.ddp takes module, bucket_ca'),
    (dict(ddp=dict(bucket_cap_mb=0)), r'data\.ddp\.bucket_cap_mb=0 .* takes int from 1 on'),
    (dict(hook=dict(intervl=1)), r"data\.hook\.intervl .* mean 'data\.hook\.interval'"),
])
def test_what_does_not_fit(value, message):
    with pytest.raises(ConfigError, match=message):
        read_section(Data, value, 'data')


def test_names_that_are_free():
    read_section(Data, dict(more={}, hook=dict(extra=1), ddp=dict(type='Mine', extra=1)), 'data')


def test_all_problems_come_together_with_their_origin():
    cfg = Config(dict(workers=1))
    cfg.merge_from_dict(dict(workers=-1, colour='red'))

    assert [text.partition(')')[0] for text in section_problems(Data, cfg, '')] == [
        'workers=-1 (set by command line', 'colour (set by command line']
    with pytest.raises(ConfigError, match=r'(?s)workers.*\n.*colour'):
        read_section(Data, cfg, 'data')
