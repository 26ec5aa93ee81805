"""Look at folders, decide, and make the lists and settings of the data sets that follow."""
import os
from collections.abc import Mapping, Sequence

from mmcv_replace.utils.errors import DataError

from ..listing.file_list import list_line, unlistable
from .by_file import name_files
from .class_list import find_class_list
from .decisions import describe
from .labels import decide_labels, labels_of_files
from .near_duplicates import describe_groups, find_groups
from .pairs import Pair, Pairs, find_pairs
from .record import Plan
from .settings import OwnDataSettings
from .split import Sides, split_by_folder, split_by_hash
from .survey import Look, Progress, look_at


def make_plan(settings: OwnDataSettings, nproc: int | None = None,
              progress: Progress | None = None) -> Plan:
    """Look at the folders of `own_data`, and decide.

    Raises a UserError, with file and remedy, for what the files leave open or do wrong.
    """
    settings = settings.located()
    parts = {'': find_pairs(settings)}
    if settings.val_images is not None:
        parts['val_'] = find_pairs(settings, 'val_')
    listed = find_class_list(settings.classes, settings.masks)
    class_files, names = None, ()
    class_names = sorted({name for part in parts.values() for name in part.class_names})
    if class_names:
        for part in parts.values():
            _check_class_names(part)
        class_files, names = name_files(class_names, listed)
    looks = {key: look_at(part, class_files, nproc, progress) for key, part in parts.items()}
    every = [look for series in looks.values() for look in series]
    labels = (decide_labels(every, settings, listed) if class_files is None
              else labels_of_files(every, class_files, names, listed))
    sides, told = _split(settings, parts)
    lists = {'train': _lines(sides['train']), 'val': _lines(sides['val'])}
    if sides['test'] is not sides['val']:
        lists['test'] = _lines(sides['test'])
    common = dict(classes=list(labels.names),
                  palette=[list(map(int, colour)) for colour in labels.palette], **labels.settings)
    later = parts.get('val_', parts[''])
    datasets = {}
    for split, part in (('train', parts['']), ('val', later), ('test', later)):
        datasets[split] = dict(img_dir=part.images, ann_dir=part.masks,
                               split=split if split in lists else 'val', **common)
    by_split = {side: _looks_of(sides[side], looks, side) for side in lists}
    notes = [note for part in parts.values() for note in _headed(part)]
    return Plan(settings.to_json(), list(labels.names), datasets, lists,
                describe(labels, by_split, [*notes, *labels.notes], told))


def _check_class_names(part: Pairs) -> None:
    if not part.class_names:
        raise DataError(f'{part.masks} has one mask an image, but the other folder of masks one '
                        'file a class: give both the same form')


def _headed(part: Pairs) -> list[str]:
    return [f'images {part.images}, masks {part.masks}', *part.notes]


def _split(settings: OwnDataSettings, parts: Mapping[str, Pairs]) -> tuple[Sides, list[str]]:
    """The pairs of each split, and how they were chosen."""
    pairs = parts[''].pairs
    if 'val_' in parts:
        val = parts['val_'].pairs
        return {'train': pairs, 'val': val, 'test': val}, ['split: val_images are validated on']
    sides = split_by_folder(pairs)
    if sides is not None:
        return sides, ['split: by the folders train, val and test in which the images lie']
    names = [pair.name for pair in pairs]
    files = [os.path.join(parts[''].images, pair.image) for pair in pairs]
    groups = find_groups(names, files) if settings.group else [[name] for name in names]
    sides = split_by_hash(pairs, groups, settings.val_fraction, settings.seed)
    told = describe_groups(groups)
    return sides, [
        f'split: {settings.val_fraction:.3g} of the images are validated on, chosen by a hash of '
        f'their names (seed {settings.seed}): images that are added later move none of these, '
        'unless these are too few for both sides',
        *([told] if told else [])]


def _lines(pairs: Sequence[Pair]) -> list[str]:
    """Lines of a list; DataError for names that it cannot hold."""
    lines = []
    for pair in pairs:
        lack = unlistable(pair.info, '')
        if lack:
            raise DataError(f'{pair.image!r} and its mask {pair.mask!r}: {lack}, which a list of '
                            'images cannot hold: rename them')
        lines.append(list_line(pair.info, ''))
    return lines


def _looks_of(pairs: Sequence[Pair], looks: Mapping[str, Sequence[Look]],
              side: str) -> list[Look]:
    """The looks at the pairs of a split."""
    part = 'val_' if side != 'train' and 'val_' in looks else ''
    wanted = {pair.image for pair in pairs}
    return [look for look in looks[part] if look.pair.image in wanted]
