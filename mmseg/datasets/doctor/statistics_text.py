"""The statistics of the training images, for the terminal."""
from collections.abc import Iterator

from mmcv_replace.utils.suggest import printable

from .statistics import Statistics


def format_statistics(found: Statistics | None, max_examples: int) -> Iterator[str]:
    """The bands and the line for a config, then at most `max_examples` images that are left out."""
    if found is None:
        return
    if found.moments is not None:
        yield '\n'.join(_bands(found))
    elif not found.left_out:
        yield 'statistics: data.train has no image'
    if found.left_out:
        yield '\n'.join(_left_out(found, max_examples))


def _bands(found: Statistics) -> Iterator[str]:
    from prettytable import PrettyTable
    types = ', '.join(kind if len(found.types) == 1 else f'{kind} in {number:,}'
                      for kind, number in found.types.items())
    yield (f'statistics of {found.types.total():,} training images as their loading step gives them'
           f' ({types}), {found.moments.count:,} pixels; bands: '
           + ('red, green, blue' if found.swapped else 'as loaded'))
    bands = found.bands()
    table = PrettyTable(['band', *bands])
    table.align = 'r'
    for band, row in enumerate(zip(*bands.values(), strict=True)):
        table.add_row([band, *(f'{value:.6g}' for value in row)])
    yield table.get_string()
    yield 'for a config, in the file that has the Normalize steps:'
    yield f'  {found.norm_cfg()}'
    if len(found.types) > 1:
        yield ('warning: values of several types, whose ranges differ, have no mean that serves '
               'all: convert the images to one type')
    for band in found.constant():
        yield (f'warning: band {band} holds one value alone; for its std, 0, by which Normalize '
               'cannot divide, the line says 1')


def _left_out(found: Statistics, max_examples: int) -> Iterator[str]:
    yield f'error: images that the statistics leave out ({len(found.left_out):,})'
    for file, why in found.left_out[:max_examples]:
        yield f'  {printable(file)}: {printable(why)}'
    if len(found.left_out) > max_examples:
        yield f'  ... and {len(found.left_out) - max_examples:,} more'
