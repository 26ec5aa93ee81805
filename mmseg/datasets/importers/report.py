"""What an import has done, for the user to check before a training."""
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmcv_replace.utils.suggest import printable

from .export import Export, Problems, Sample
from .legend import IGNORED, Legend

if TYPE_CHECKING:
    from .run import Written

SHOWN = 3
# Names of folders by which tools split their data.
TRAINING, VALIDATION = ('train', 'train2017', 'training'), ('val', 'val2017', 'valid', 'validation')


def describe(export: Export, legend: Legend, done: 'Sequence[tuple[Sample, Written]]',
             problems: Problems, without_object: int, out: Path) -> str:
    """The classes with their shares of the pixels, the rule of the tool, remarks, what to do next.
    """
    remarks = [f'{what}: {number}' for what, number in sorted(export.notes.items())]
    empty = [sample.name for sample, entry in done if entry.empty]
    if empty:
        unlabelled = 'ignored' if legend.unlabelled == IGNORED else (
            f'{legend.classes[legend.unlabelled]!r} throughout')
        remarks.append(f'images without an object, {unlabelled}: {len(empty)} '
                       f'({", ".join(map(printable, empty[:SHOWN]))}'
                       f'{", ..." if len(empty) > SHOWN else ""}); leave them out with '
                       '--skip-empty if they are not labelled yet')
    pixels, images = _add_up(entry.counts for _, entry in done)
    contested = sum(entry.contested for _, entry in done)
    if contested:
        remarks.append('pixels of objects of several classes, which the upper one has: '
                       f'{contested:,} ({contested / pixels.total():.2%})')
    if without_object:
        remarks.append(f'images without an object, left out: {without_object}')
    vanished = sum(entry.vanished for _, entry in done)
    if vanished:
        remarks.append(f'objects that cover no pixel: {vanished}')
    if problems.found:
        remarks.append(f'left out: {problems.describe()}')
    return '\n'.join([
        _table(legend, pixels, images), f'Rule: {export.rule}.',
        *(f'- {remark}' for remark in remarks),
        f'{len(done)} images and masks are in {out}. Train on them:', _command(done, out)])


def _add_up(counts: Iterable[dict[int, int]]) -> tuple[Counter[int], Counter[int]]:
    """Pixels and images that have each value."""
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for entry in counts:
        pixels.update(entry)
        images.update(entry.keys())
    return pixels, images


def _table(legend: Legend, pixels: Counter[int], images: Counter[int]) -> str:
    from prettytable import PrettyTable
    table = PrettyTable(['index', 'class', 'pixels', 'images'])
    table.align.update({'index': 'r', 'class': 'l', 'pixels': 'r', 'images': 'r'})
    for index, name in [*enumerate(legend.classes), (IGNORED, '(ignored)')]:
        table.add_row([index, name, f'{pixels[index] / pixels.total():.2%}', images[index]])
    return table.get_string()


def _command(done: 'Sequence[tuple[Sample, Written]]', out: Path) -> str:
    """The command that trains, on the tool's own split where the folders show one."""
    folders = {sample.name.partition('/')[0] for sample, _ in done if '/' in sample.name}
    train = next((name for name in TRAINING if name in folders), None)
    val = next((name for name in VALIDATION if name in folders), None)
    options = {'--images': 'images', '--masks': 'masks'}
    if train and val:
        options = {'--images': f'images/{train}', '--masks': f'masks/{train}',
                   '--val-images': f'images/{val}', '--val-masks': f'masks/{val}'}
    options['--classes'] = 'classes.txt'
    given = ' '.join(f'{option} {shlex.quote(str(out / name))}' for option, name in options.items())
    return f'  python tools/train.py CONFIG {given}'
