"""The options by which a training reads the lists that `write_lists` has written."""
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.utils import Config
from mmseg.core.utils import leaf_configs

from ..builder import LISTED
from .report import Report

_PLAIN = re.compile(r'[\w./+-]+')  # needs no quotes as a value after --cfg-options


def tell_lists(cfg: Config, report: Report, files: Sequence[Path]) -> list[str]:
    """Lines with the options that make the data sets of a config read these lists.

    `files` are those of `plan_lists`, one for each source of the report.
    """
    options, unknown = [], []
    for split in (*report.samples, *report.same):
        of_split = [str(file.resolve()) for source, file in zip(report.sources, files, strict=True)
                    if source.split == report.same.get(split, split)]
        settings = list(_settings(cfg.data[split], f'data.{split}', of_split))
        if sum(number for _, _, number in settings) == len(of_split):
            options += [shlex.quote(f'{key}={value}') for key, value, _ in settings]
        else:
            unknown.append(split)
    lines = ['To train on them, add these options to the command of the training:',
             f'  --cfg-options {" ".join(options)}'] if options else []
    return lines + [f'data.{split} leaves out lists that are empty: write its lists as `split` '
                    'into the config' for split in unknown]


def _settings(cfg: Any, key: str, files: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Key and value of `split` for each data set in a config, and how many lists the value holds.
    """
    start = 0
    for place, part in leaf_configs(cfg, key):
        number = _count(part)
        lists = files[start:start + number]
        start += number
        value = lists if number > 1 else ''.join(lists)
        plain = isinstance(value, str) and _PLAIN.fullmatch(value)
        # In double quotes, since the shell's are single ones.
        yield f'{place}.split', value if plain else json.dumps(value, ensure_ascii=False), number


def _count(part: Mapping[str, Any]) -> int:
    """How many data sets the config of one makes, where it holds lists of folders."""
    return max([len(part[key]) for key in LISTED if isinstance(part.get(key), list | tuple)],
               default=1)
