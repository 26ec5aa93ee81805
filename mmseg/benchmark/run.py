"""Run a benchmark: start the subjects, alternate their rounds, count operations, report.

The speed of a machine varies over minutes. With alternating rounds a slow minute affects all
subjects, and medians are compared.
"""
import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace import fileio
from mmcv_replace.utils.errors import ConfigError

from . import checkpoint, evaluation, infer, large, pipeline, predict, startup, train, zoo
from .conditions import describe_conditions
from .differences import compare
from .report import Row, format_section, section_values
from .section import Plan, Section
from .subject import Subject, environment, subject_commands

PLANS: dict[str, Plan] = {
    'train': train.plan, 'infer': infer.plan, 'slide': infer.plan, 'pipeline': pipeline.plan,
    'eval': evaluation.plan, 'startup': startup.plan, 'checkpoint': checkpoint.plan,
    'predict': predict.plan, 'large': large.plan, 'zoo': zoo.plan}
PROFILED = ('train', 'infer', 'slide', 'zoo', 'pipeline')
SCHEMA = 1  # of the JSON; higher where a key changes its meaning
LEGEND = ('x NAME: how many times as fast as NAME; difference: the largest from the result of this '
          'toolkit,\nas a share of label maps and relative to the largest number elsewhere')


def run_benchmark(args: argparse.Namespace) -> str:
    """Run the subcommand `args.command`; returns the text of the report, and writes --json."""
    if args.json is not None and not Path(args.json).absolute().parent.is_dir():
        raise ConfigError(f'--json {args.json}: its folder does not exist; make it first')
    if args.profile and args.command not in PROFILED:
        raise ConfigError(f'--profile: there is none of {args.command}, whose time is not that of '
                          f"torch's operators or of steps; {', '.join(PROFILED)} have one")
    commands = subject_commands(args.plain, args.peer_python)
    before = describe_conditions(args.device)
    with tempfile.TemporaryDirectory(prefix='benchmark-') as folder:
        sections = PLANS[args.command](args, Path(folder))
        measured = []
        for section in sections:
            measured.append((section, _measure(section, args, commands, Path(folder))))
            if len(sections) > 1:  # they take long, and may be stopped
                sys.stderr.write(format_section(*measured[-1]) + '\n\n')
    conditions = {**before, 'load_after': describe_conditions(args.device)['load_before']}
    if args.json is not None:
        figures = {key: getattr(args, key) for key in ('command', 'config', 'rounds', 'warmup')}
        fileio.dump({
            'schema': SCHEMA, **figures, 'conditions': conditions,
            'sections': [section_values(section, rows) for section, rows in measured],
            **({'summary': zoo.summary(measured)} if args.command == 'zoo' else {}),
        }, args.json, file_format='json', indent=1)
    text = [format_section(section, rows) for section, rows in measured]
    if args.command == 'zoo' and len(commands) > 1:
        text.append(zoo.format_summary(zoo.summary(measured), measured[0][1][-1].name))
    lines = [f'{key}: {value}' for key, value in conditions.items()]
    return '\n\n'.join([*text, '\n'.join([LEGEND, *lines])])


def interleave(subjects: Sequence[Any], measure: Callable[[Any], float], rounds: int,
               warmup: int) -> list[list[float]]:
    """Measure each subject once per round (A B C A B C); returns the values by subject.

    `warmup` rounds are made first, whose values are not returned.
    """
    def measure_all() -> list[float]:
        return [measure(subject) for subject in subjects]

    for _ in range(warmup):
        measure_all()
    return [list(values) for values in zip(*(measure_all() for _ in range(rounds)), strict=True)]


def _measure(section: Section, args: argparse.Namespace, commands: dict[str, list[str]],
             folder: Path) -> list[Row]:
    with _started(section, args, commands, folder) as subjects:
        arrays = [_check(subject, folder) for subject in subjects]
        seconds = interleave(subjects, lambda subject: subject.ask('round'), args.rounds,
                             args.warmup)
        return [Row(key=subject.key, name=subject.label, seconds=values, images=section.images,
                    threads=subject.about['threads'], torch=subject.about['torch'],
                    dtype=subject.about.get('dtype'), differences=compare(found, arrays[0]),
                    resident_mb=subject.ask('resident') if section.resident else None,
                    **_inspect(subject, args.inspect, args.profile))
                for subject, values, found in zip(subjects, seconds, arrays, strict=True)]


@contextmanager
def _started(section: Section, args: argparse.Namespace, commands: dict[str, list[str]],
             folder: Path) -> Iterator[list[Subject]]:
    """Start the subjects of a section, in the order of the report; they end with the context."""
    threads = section.threads if args.threads is None else args.threads
    own, plain = {**section.options, **section.own}, {**section.options, **(section.plain or {})}
    # Key, kind of subject, label, options.
    wanted: list[tuple[str, str, str, dict[str, Any]]] = [('own', 'own', 'this toolkit', own)]
    wanted += [(f'own{number}', 'own', f'this toolkit, {label}', {**own, **options})
               for number, (label, options) in enumerate(section.variants.items(), start=1)]
    if 'plain' in commands and section.plain is not None:
        wanted.append(('plain', 'plain', 'plain PyTorch', plain))
        wanted += [(f'plain_{name}', 'plain', f'plain PyTorch, {name}', {**plain, **options})
                   for name, options in section.plain_variants.items()]
    wanted += [(kind, kind, args.peer_python[index], dict(section.options))
               for index, kind in enumerate(kind for kind in commands if kind.startswith('peer'))]
    with ExitStack() as stack:
        subjects = []
        for key, kind, label, options in wanted:
            subject = Subject(key, label, commands[kind], folder / f'{key}.log',
                              environment(threads, kind))
            stack.callback(subject.close)
            subject.start(section.case, options)
            subjects.append(subject)
        yield subjects


def _check(subject: Subject, folder: Path) -> dict[str, np.ndarray]:
    file = folder / f'{subject.key}.npz'
    subject.ask('check', file=str(file))
    with np.load(file) as arrays:
        return dict(arrays)


def _inspect(subject: Subject, count: bool, profile: bool) -> dict[str, Any]:
    """Fields of `Row` found in untimed rounds: operations, memory, profile, matmul rate."""
    if not (count or profile):
        return {}
    found = subject.ask('inspect', count=count, profile=profile)
    if profile:
        found.setdefault('profile', 'unknown, for it has no step that can be profiled')
    if count and 'dtype' in subject.about:
        found['matmul_rate'] = subject.ask('matmul_rate', dtype=subject.about['dtype'])
    return found
