"""Differences between a run and the checkpoint that it resumes: config, data, classes, versions.

The runner itself compares the settings of the optimizer's groups and the number of processes.
"""
import re
from collections.abc import Iterator, Mapping
from typing import Any

import mmseg
from mmcv_replace.runner.checkpoints.optimizer_state import is_same, short_value
from mmcv_replace.runner.checkpoints.resume_table import TAKEN, Difference
from mmcv_replace.utils import Config, collect_env
from mmcv_replace.utils.config.saved_text import read_literal_config
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.listing.sample_lists import describe_list

from .labels.trained_classes import classes_in, places_by_name

# Dotted key of a setting or a section -> what the log says about the value that is used.
IN_FORCE = {
    'optimizer.type': f'{TAKEN}, with the running averages of the checkpoint where they fit',
    'optimizer_config': TAKEN,
    'lr_config': f'{TAKEN}, on the optimizer.lr in force',
    'momentum_config': f'{TAKEN}, on the momentum in force',
    'runner': TAKEN,
    'total_iters': TAKEN,
    'total_epochs': TAKEN,
    'seed': f'{TAKEN} for the order of the data; random numbers go on as in the checkpoint',
    'data.samples_per_gpu': f'{TAKEN}, from the same place in the data',
    'data.train_dataloader': f'{TAKEN}, from the same place in the data',
    'data.train': TAKEN,
    'model': TAKEN,
    'custom_hooks': TAKEN,
    'nonfinite': TAKEN,
    'fp16': TAKEN,
    'bf16': TAKEN,
}
# Split -> what the log says about a different list of samples.
LISTS = {'train': f'{TAKEN}, from the same place in the order of the data',
         'val': f'{TAKEN}; the best score so far is that of other images'}
LIBRARIES = ('Python', 'PyTorch', 'NumPy', 'OpenCV')  # the names of `collect_env` and mmcv


def differences(cfg: Config, meta: Mapping[str, Any], saved: Mapping[str, Any]) -> list[Difference]:
    """Differences between `meta`, the meta data of this run, and `saved`, those of a checkpoint.

    Entries that one of them lacks are not compared.
    """
    ours = _config_in(meta) or cfg
    return [*_settings(ours, _config_in(saved)),
            *_batch(ours, meta, saved), *_lists(meta, saved), *_classes(meta, saved),
            *_libraries(saved)]


def _config_in(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The config in the meta data of a checkpoint; empty if there is none that can be read."""
    text = meta.get('config')
    try:
        config = read_literal_config(text, 'the checkpoint') if isinstance(text, str) else {}
    except ConfigError:
        return {}
    # A seed that was drawn is in the meta data only.
    return {**config, 'seed': meta['seed']} if config and 'seed' in meta else config


def _settings(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Difference]:
    for root, in_force in IN_FORCE.items() if theirs else ():
        one, other = _at(ours, root), _at(theirs, root)
        if root == 'seed' and None in (one, other):
            continue
        for key, own, former in _changes(root, one, other):
            yield Difference(key, short_value(former), short_value(own), in_force)


def _at(config: Any, key: str) -> Any:
    for part in key.split('.'):
        config = config.get(part) if isinstance(config, Mapping) else None
    return config


def _changes(key: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """Dotted key and both values of each difference; a missing dict counts as an empty one."""
    if isinstance(ours, Mapping) and theirs is None or isinstance(theirs, Mapping) and ours is None:
        ours, theirs = ours or {}, theirs or {}
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        parts = [(name, ours.get(name), theirs.get(name))
                 for name in dict.fromkeys([*ours, *theirs])]
    elif _are_parts(ours) and _are_parts(theirs) and len(ours) == len(theirs):
        parts = [(index, *pair) for index, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        if not is_same(ours, theirs):
            yield key, ours, theirs
        return
    for name, own, former in parts:
        yield from _changes(f'{key}.{name}', own, former)


def _are_parts(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(entry, Mapping) for entry in value)


def _batch(config: Mapping[str, Any], meta: Mapping[str, Any],
           saved: Mapping[str, Any]) -> Iterator[Difference]:
    """The images in a step of all processes: changes of both numbers may cancel out."""
    one, other = (_images_a_step(*pair) for pair in (
        (config, meta), (_config_in(saved), saved)))
    if None not in (one, other) and one != other:
        yield Difference('images a step', str(other), str(one), TAKEN)


def _images_a_step(config: Mapping[str, Any], meta: Mapping[str, Any]) -> int | None:
    own = _at(config, 'data.train_dataloader.samples_per_gpu')
    each = _at(config, 'data.samples_per_gpu') if own is None else own
    processes = meta.get('world_size')
    return each * processes if isinstance(each, int) and isinstance(processes, int) else None


def _lists(meta: Mapping[str, Any], saved: Mapping[str, Any]) -> Iterator[Difference]:
    for split, in_force in LISTS.items():
        one, other = (_at(part, f'samples.{split}') for part in (meta, saved))
        if one is not None and other is not None and not is_same(one, other):
            yield Difference(f'samples of data.{split}', describe_list(other), describe_list(one),
                             in_force)


def _classes(meta: Mapping[str, Any], saved: Mapping[str, Any]) -> Iterator[Difference]:
    """Other classes or another order, which are an error unless `match_classes` is False."""
    trained, wanted = (classes_in({'meta': part}) for part in (saved, meta))
    if trained is None or wanted is None:
        return
    places = places_by_name(trained, wanted)
    if places is None or places != sorted(places):
        trained, wanted = (short_value(list(map(str, names))) for names in (trained, wanted))
        yield Difference('classes', trained, wanted,
                         f'{TAKEN}, by their numbers (match_classes=False)')


def _libraries(saved: Mapping[str, Any]) -> Iterator[Difference]:
    env_info, ours = saved.get('env_info'), collect_env()
    for name in LIBRARIES:
        version = ours[name].partition(' ')[0]
        found = re.search(rf'^{name}: (\S+)', env_info, re.MULTILINE) if isinstance(
            env_info, str) else None
        if found and found[1] != version:
            yield Difference(name, found[1], version, TAKEN + _about(name, found[1], version))
    before = saved.get('mmseg_version')
    if isinstance(before, str) and before != mmseg.__version__:
        yield Difference('mmseg', before, mmseg.__version__, TAKEN)


def _about(name: str, former: str, version: str) -> str:
    if name != 'OpenCV' or former.partition('.')[0] == version.partition('.')[0]:
        return ''
    return ('; between 4 and 5 RandomRotate gives other pixels and some other labels, '
            f'opencv-python-headless=={former}.* the same ones')
