"""`own_data` of a config: plan the data once, then write what follows into the config.

The first process of a job looks and decides, and the others take its plan. A new run looks anew:
the split depends on the names alone, so that images of before stay on their side. A run that goes
on (`--auto-resume`, `--resume-from`, or started again by its launcher) keeps the lists it has.
"""
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmcv_replace.interrupts import cleaning_up_when_terminated
from mmcv_replace.runner.checkpoints.auto_resume import was_restarted
from mmcv_replace.runner.dist_utils import any_rank
from mmcv_replace.runner.heartbeat import run_on_first_rank
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError, UserError
from mmcv_replace.utils.rank import get_local_rank
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import short
from mmseg.datasets.own import (
    FOLDER,
    OwnDataSettings,
    Plan,
    find_plan,
    read_plan,
    write_plan,
)

from ..cli import work_dir_of
from .config import apply_plan

KEY = 'own_data'
PLACES = ('images', 'masks', 'val_images', 'val_masks')


def plan_own_data(cfg: Config) -> tuple[Plan, str] | None:
    """The plan for `own_data` of a training, with a text about it; None without `own_data`.

    Nothing is written. Every process has to call it. Raises a UserError for data that leave
    something open, and for a resumed run with other settings.
    """
    settings = read_section(OwnDataSettings, cfg.get(KEY), KEY)
    if settings is None:
        return None
    goes_on = any_rank(bool(cfg.get('auto_resume') or cfg.get('resume_from')) or was_restarted())
    found, news = run_on_first_rank(
        lambda: _decide(cfg, settings, goes_on), 'the look at own_data', DataError)
    return Plan.from_json(found), news


def _decide(cfg: Config, settings: OwnDataSettings, goes_on: bool) -> tuple[dict[str, Any], str]:
    folders = [work_dir_of(cfg), *(() if cfg.get('resume_from') is None
                                   else [Path(cfg.resume_from).parent])]
    place = find_plan(folders) if goes_on else None
    if place is None:
        from mmseg.datasets.own import make_plan  # here, as a test does without it
        plan = make_plan(settings)
        return plan.to_json(), plan.text
    plan = read_plan(place)
    plan = _same_data(plan, settings, place, 'A run goes on with the data that it began with: set '
                      'it as before, or start a new run, in another --work-dir or without '
                      '--auto-resume and --resume-from')
    return plan.to_json(), (f'{plan.text}\nthe lists in {place / FOLDER} are kept, as the run goes '
                            f'on{_added(plan, settings)}')


def _same_data(plan: Plan, settings: OwnDataSettings, place: Path, remedy: str) -> Plan:
    """The plan for folders that may have moved; ConfigError where other settings differ."""
    now = settings.located()
    changed = [f'{name}={short(value)} ({short(plan.settings.get(name))} before)'
               for name, value in now.to_json().items() if value != plan.settings.get(name)
               and (name not in PLACES or (value is None) != (plan.settings.get(name) is None))]
    if changed:
        raise ConfigError(
            f'own_data of the run in {place} was another: {", ".join(changed)}. {remedy}')
    later = now.val_images or now.images, now.val_masks or now.masks
    datasets = {split: {**dataset, **dict(zip(('img_dir', 'ann_dir'), (
        now.images, now.masks) if split == 'train' else later, strict=True))}
        for split, dataset in plan.datasets.items()}
    return replace(plan, settings=now.to_json(), datasets=datasets)


def _added(plan: Plan, settings: OwnDataSettings) -> str:
    """A text about images that were added since; '' without one."""
    from mmseg.datasets.listing.file_list import list_line
    from mmseg.datasets.own.pairs import find_pairs
    listed = {line for lines in plan.lists.values() for line in lines}
    try:
        here = find_pairs(settings.located()).pairs
    except UserError:  # a half of a pair that was added does not concern the run
        return ''
    new = [pair for pair in here if list_line(pair.info, '') not in listed]
    return '' if not new else (
        f'; {len(new):,} images that were added since, such as {new[0].image}, are not used: a new '
        'run takes them')


def write_own_data(plan: Plan, work_dir: str | Path) -> None:
    """Write the plan into the work directory, on each machine. Every process has to call it."""
    if get_local_rank() == 0:
        write_plan(plan, work_dir)


def follow_own_data(cfg: Config, *folders: str | Path) -> None:
    """Apply the plan of a training to the config of a test: that in the first of some folders, or
    in the work directory.

    The folders are those of the config, as they may have moved. Raises ConfigError where there is
    no plan, or one for other settings. Nothing happens without `own_data`.
    """
    if cfg.get(KEY) in (None, False):
        return
    settings = read_section(OwnDataSettings, cfg[KEY], KEY)
    places = [*folders, work_dir_of(cfg)]
    place = find_plan(places)
    if place is None:
        raise ConfigError(
            'own_data: no training with these data is in '
            f'{" or ".join(dict.fromkeys(map(str, places)))}, and which images are for validation '
            'is written there: train first, or give the config that the training has saved, '
            'WORK_DIR/CONFIG_NAME.py')
    plan = _same_data(read_plan(place), settings, place, 'A test is on the images that the '
                      'training was validated on: set it as before, or give the config that the '
                      'training has saved, WORK_DIR/CONFIG_NAME.py')
    apply_plan(cfg, plan, place)


@contextmanager
def trying_own_data(cfg: Config, **options: Any) -> Iterator[Plan | None]:
    """Apply a new plan to the config, with its lists in a folder that is deleted afterwards.

    `options` are those of `make_plan`. Gives the plan, the text of which tells what was changed in
    the config, too; None without `own_data`.
    """
    settings = read_section(OwnDataSettings, cfg.get(KEY), KEY)
    if settings is None:
        yield None
        return
    from mmseg.datasets.own import make_plan
    plan = make_plan(settings, **options)
    with (cleaning_up_when_terminated(),
          tempfile.TemporaryDirectory(prefix='own_data_') as folder):
        write_plan(plan, folder)
        yield replace(plan, text='\n'.join([plan.text, *apply_plan(cfg, plan, folder)]))


def config_text(cfg: Config, plan: Plan) -> str:
    """What the plan has changed in the config, as a config: `own` is what all data sets have."""
    datasets = {split: {name: value for name, value in cfg.data[split].items()
                        if name != 'pipeline' and value is not None}
                | dict(split=f'WORK_DIR/{FOLDER}/{plan.datasets[split]["split"]}.txt')
                for split in plan.datasets}
    first = next(iter(datasets.values()))
    own = {name: value for name, value in first.items()
           if all(name in dataset and dataset[name] == value for dataset in datasets.values())}
    lines = []
    for split, dataset in datasets.items():
        rest = (f'{name}={value!r}' for name, value in dataset.items() if name not in own)
        lines.append(f'    {split}=dict({", ".join(rest)}, **own)')
    heads = {place: _numbers(cfg.model[place]) for place in ('decode_head', 'auxiliary_head')
             if (cfg.get('model') or {}).get(place)}
    return (Config(dict(own=own)).pretty_text + 'data = dict(\n' + ',\n'.join(lines) + ')\n'
            + Config(dict(model=heads)).pretty_text)


def _numbers(head: Any) -> Any:
    if isinstance(head, Mapping):
        return dict(num_classes=head.get('num_classes'))
    return [_numbers(each) for each in head]
