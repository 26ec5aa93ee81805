"""Which images a model is trained on, and which it is validated on."""
import hashlib
from collections.abc import Sequence

from mmcv_replace.utils.errors import DataError

from .pairs import Pair

# Folders that are a split already.
TRAIN = ('train', 'training', 'trn')
VAL = ('val', 'valid', 'validation')
TEST = ('test', 'testing')
Sides = dict[str, list[Pair]]


def split_by_folder(pairs: Sequence[Pair]) -> Sides | None:
    """The pairs by the first folder of their images, where these are train, val and test.

    Without val test takes its place. None for other folders.
    """
    sides: Sides = {'train': [], 'val': [], 'test': []}
    for pair in pairs:
        first, inside, _ = pair.image.partition('/')
        side = next((side for side, names in (('train', TRAIN), ('val', VAL), ('test', TEST))
                     if inside and first.lower() in names), None)
        if side is None:
            return None
        sides[side].append(pair)
    sides['val'] = sides['val'] or sides['test']
    if not sides['train'] or not sides['val']:
        return None
    return sides if sides['test'] else {**sides, 'test': sides['val']}


def split_by_hash(pairs: Sequence[Pair], groups: Sequence[Sequence[str]], fraction: float,
                  seed: int) -> Sides:
    """A share of the groups to validate on, by a hash of the seed and the first name of each.

    It depends on no other group, so that adding images moves none of those before, except where
    they are so few that all would be on one side: the one with the lowest hash is validated on at
    least, that with the highest trained on. Raises DataError for fewer than two groups.
    """
    if len(groups) < 2:
        what = 'there is one image' if len(pairs) == 1 else (
            f'all {len(pairs):,} images, {pairs[0].image} to {pairs[-1].image}, look like one '
            'sequence')
        raise DataError(f'{what}, of which no part can be kept for validation: give '
                        'own_data.val_images and val_masks (--val-images, --val-masks)'
                        + ('' if len(pairs) == 1 else ', or split it all the same with '
                           'own_data.group=False'))
    ranked = sorted(groups, key=lambda group: _place(group[0], seed))
    number = sum(_place(group[0], seed) < fraction for group in ranked)
    taken = ranked[:min(max(number, 1), len(groups) - 1)]
    names = {name for group in taken for name in group}
    val = [pair for pair in pairs if pair.name in names]
    return {'train': [pair for pair in pairs if pair.name not in names], 'val': val, 'test': val}


def _place(name: str, seed: int) -> float:
    """A number from 0 to 1 that depends on the seed and the name alone."""
    digest = hashlib.sha256(f'{seed}/{name}'.encode(errors='surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64
