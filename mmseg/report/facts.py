"""Sections with what a run was made of: data, environment, config."""
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmseg.visualization.html import Html, table, tag

from .names import FULL_CHECK, ORIGINS, QUICK_CHECK
from .run import Run
from .sheet import Sheet, lacking

FULL_COMMAND = f'python tools/check_dataset.py CONFIG --json WORK_DIR/{FULL_CHECK}'
FILES = 20  # findings that are listed


def data_facts(run: Run) -> list[Html]:
    """Sizes, classes and findings of the data, as the data check has recorded them."""
    found, whole = _read(run.folder / FULL_CHECK), True
    if found is None:
        found, whole = _read(run.folder / QUICK_CHECK), False
    try:
        parts = [*_splits(found), *_classes(found), *_findings(found)]
    except (KeyError, TypeError):  # no file, or another one of that name
        return [lacking(f"No facts of the data are recorded: tools/train.py writes {QUICK_CHECK} "
                        f"unless data.check='off', and {FULL_COMMAND} looks at all samples.")]
    if not (whole or found.get('check') == 'full' or _all_seen(found)):
        parts.insert(0, lacking(
            'These are the samples at which the training has looked before it began. For all of '
            f'them: {FULL_COMMAND}, then make the report again.'))
    return parts


def add_environment(sheet: Sheet, runs: Sequence[Run]) -> None:
    """Software, hardware, seed: a row for each fact, a column for each run."""
    facts = [_environment(run) for run in runs]
    names = list(dict.fromkeys(name for each in facts for name in each))
    sheet.section('Environment', lacking(
        'The logs say nothing of the environment: only tools/train.py writes it.')
        if not names else table(
            ('', *(run.name for run in runs)) if len(runs) > 1 else ('', ''),
            [(name, *(_cell(each.get(name, '')) for each in facts)) for name in names]))


def config_values(run: Run, number: int) -> list[Html]:
    """Every value of the config with the files and options that set it, or else the config.

    `number` of the run on the page.
    """
    stamp = run.logs[-1].path.name.removesuffix('.log.json')
    rows = _read(run.folder / f'{stamp}{ORIGINS}')
    text = run.meta.get('config')
    if isinstance(rows, list) and all(isinstance(row, list) and len(row) == 3 for row in rows):
        name = f'config{number}'
        values = table(('key', 'value', 'set by'), [
            (tag('code', key), tag('code', value), origin) for key, value, origin in rows],
            id=name, cls='config')
        search = tag('input', type='search', cls='filter', placeholder='filter: lr, pipeline …',
                     aria_label='show only values that contain this', data_table=name)
        return [tag('details', tag('summary', f'{len(rows)} values'), search, values)]
    if isinstance(text, str):
        return [lacking('Which file set a value is not recorded: tools/train.py writes it to '
                        f'TIMESTAMP{ORIGINS} beside the log.'),
                tag('details', tag('summary', 'the merged config'), tag('pre', text))]
    return [lacking('The log holds no config: tools/train.py writes it.')]


def _environment(run: Run) -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in str(run.meta.get('env_info') or '').splitlines():
        name, colon, value = line.partition(': ')
        if colon and not line[0].isspace():
            facts[name] = value.strip()
        elif facts and line.strip():  # how PyTorch was compiled takes several lines
            facts[list(facts)[-1]] += f'\n{line.strip()}'
    for name, key in (('Seed', 'seed'), ('Processes', 'world_size'),
                      ('mmseg-ascend', 'mmseg_version'), ('Experiment', 'exp_name')):
        if run.meta.get(key) is not None:
            facts[name] = str(run.meta[key])
    return facts


def _cell(fact: str) -> object:
    """A fact; the lines after the first can be unfolded."""
    first, lines, rest = fact.partition('\n')
    return tag('details', tag('summary', first), tag('pre', rest)) if lines else fact


def _all_seen(found: dict[str, Any]) -> bool:
    """Whether a check of some samples has looked at all, as there are few."""
    return all(facts['samples'] == sum(source['samples'] for source in facts['sources'])
               for facts in found['splits'].values())


def _splits(found: dict[str, Any]) -> Sequence[Html]:
    rows = [(split, sum(source['samples'] for source in facts['sources']), facts['samples'],
             ', '.join(source['type'] for source in facts['sources']),
             ', '.join(str(source['img_dir']) for source in facts['sources']))
            for split, facts in found['splits'].items()]
    rows += [(split, f'as {same}', '', '', '') for split, same in found['same'].items()]
    return [table(('split', 'images', 'looked at', 'type', 'folder'), rows, numbers=(1, 2))]


def _classes(found: dict[str, Any]) -> Sequence[Html]:
    """Shares of the pixels of each class, with a bar."""
    tables = []
    for split, facts in found['splits'].items():
        total = sum(entry['pixels'] for entry in facts['classes'])
        if total:
            tables += [tag('h3', f'Classes in {split}'), table(
                ('class', 'pixels', '', 'images'),
                [(entry['name'], f'{100 * entry["pixels"] / total:.3f} %',
                  tag('meter', value=f'{entry["pixels"] / total:.5f}'), entry['images'])
                 for entry in facts['classes']], numbers=(1, 3))]
    return [tag('details', tag('summary', 'classes'), *tables)] if tables else []


def _findings(found: dict[str, Any]) -> Sequence[Html]:
    kinds = [(kind['severity'], kind['title'], kind['count'], kind['remedy'])
             for kind in found['kinds'].values()]
    if not kinds:
        return [tag('p', 'Nothing wrong was found.')]
    files = [(entry['kind'], entry['split'], entry['file'], entry['detail'])
             for entry in found['findings']]
    more = [tag('p', f'… and {len(files) - FILES:,} more', cls='soft')] if len(
        files) > FILES else []
    return [tag('h3', 'Findings'), table(('severity', 'what', 'number', 'remedy'), kinds, (2,)),
            tag('details', tag('summary', 'files'),
                table(('kind', 'split', 'file', 'detail'), files[:FILES]), *more)]


def _read(path: Path) -> Any:
    """The content of a JSON file; None without one, or for a damaged one."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
