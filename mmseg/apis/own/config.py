"""What a plan for data of one's own changes in a config: data sets and the heads' classes.

Pipelines stay those of the config, and what the command line has set stays as well.
"""
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.config import COMMAND_LINE
from mmcv_replace.utils.config.config_dict import ConfigDict, assign
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import leaf_configs
from mmseg.datasets.own import FOLDER, Plan

HEADS = ('decode_head', 'auxiliary_head')
# The split from which a missing pipeline is taken.
PARTNERS = {'train': (), 'val': ('test',), 'test': ('val',)}
ORIGIN = 'own_data'


def apply_plan(cfg: Config, plan: Plan, work_dir: str | Path) -> list[str]:
    """Write the data sets of a plan whose lists are in `work_dir`, and num_classes, into a config.

    `own_data` itself is removed: the config needs nothing else. Returns what was changed beside the
    data sets, a line each. Raises ConfigError for a config without pipelines.
    """
    folder = Path(work_dir, FOLDER).resolve()
    datasets = {split: _dataset(cfg, split, settings, folder)
                for split, settings in plan.datasets.items()}
    for split, dataset in datasets.items():
        assign(cfg.data, split, dataset, ORIGIN)
    notes, number = [], len(plan.classes)
    heads = dict(_heads(cfg))
    if heads:
        notes.append(f'model: num_classes={number} in {", ".join(heads)}')
    for place, head in heads.items():
        notes += _set_classes(place, head, number)
    if 'own_data' in cfg:
        del cfg['own_data']
    return notes


def _dataset(cfg: Config, split: str, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The config of a data set with the config's own pipeline and what the command line has set."""
    data = cfg.get('data') or {}
    parts = [part for name in (split, *PARTNERS[split]) for _, part in leaf_configs(data.get(name))
             if isinstance(part, Mapping) and part.get('pipeline')]
    if not parts:
        raise ConfigError(f'own_data needs a config with pipelines, and data.{split} has none: '
                          "begin with a config such as configs/pspnet/pspnet_r50-d8_512x512_20k_"
                          'voc12aug.py')
    base = parts[0]
    dataset = dict(type='CustomDataset', data_root=None, **settings)
    dataset['split'] = str(folder / f'{settings["split"]}.txt')
    dataset['pipeline'] = _pipeline(base['pipeline'])
    typed = {} if not isinstance(base, ConfigDict) else {
        name: value for name, value in base.items()
        if name != 'pipeline' and base.origin(name) == COMMAND_LINE}
    return {**dataset, **typed}


def _pipeline(steps: Sequence[Any]) -> list[Any]:
    """A copy of a pipeline that leaves the numbering of the labels to the data set."""
    steps = copy.deepcopy(list(steps))
    for step in steps:
        if isinstance(step, Mapping) and step.get('type') == 'LoadAnnotations':
            step.pop('reduce_zero_label', None)
    return steps


def _heads(cfg: Config) -> Iterator[tuple[str, ConfigDict]]:
    """The heads of the model, each with its place, such as auxiliary_head.0."""
    model = cfg.get('model') or {}
    for place in HEADS:
        heads = model.get(place) or ()
        if isinstance(heads, Mapping):
            yield place, heads
        else:
            yield from ((f'{place}.{index}', head) for index, head in enumerate(heads))


def _set_classes(place: str, head: ConfigDict, number: int) -> list[str]:
    """Set num_classes of a head, and drop weights of its losses that are for other classes."""
    notes = []
    if head.origin('num_classes') != COMMAND_LINE:
        assign(head, 'num_classes', number, ORIGIN)
    losses = head.get('loss_decode') or ()
    for loss in [losses] if isinstance(losses, Mapping) else losses:
        weights = loss.get('class_weight')
        if isinstance(weights, list | tuple) and len(weights) != number and (
                loss.origin('class_weight') != COMMAND_LINE):
            del loss['class_weight']
            notes.append(f'left out: the {len(weights)} weights class_weight in {place}, which are '
                         'for other classes')
    return notes
