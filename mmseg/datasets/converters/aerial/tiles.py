"""Convert tiles, large images with labels in colours, to windows with masks."""
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmcv_replace.image import imwrite
from mmcv_replace.image.formats.rows import Rows, open_rows
from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError

from ..archives import Member
from ..masks import write_mask
from .colour_labels import Colour, LabelRows, check_known, describe_near, describe_unknown
from .windows import Box, Windows, cut

logger = logging.getLogger('mmseg.converters')


@dataclass(frozen=True, repr=False)
class Tile:
    """An image, and its labels where it has some."""

    name: str
    split: str
    image: Member
    label: Member | None

    def __repr__(self) -> str:
        return str(self.image)


@dataclass(frozen=True)
class Labels:
    """What the colours of labels become."""

    colours: Mapping[Colour, int]
    palette: Sequence[Sequence[int]]  # of the masks
    other: int  # the label of colours that no class has, and of what is beyond an image
    unknown: str  # 'nearest', 'error' or 'ignore': what becomes of the colours of none


@dataclass(frozen=True)
class Style:
    """How the windows are cut and called."""

    windows: Windows
    pad: bool  # whether images that are smaller than a window are enlarged to one
    mask_suffix: str
    rows_first: bool  # whether names hold top, bottom, left, right; otherwise two corners x, y

    def stem(self, tile: Tile, box: Box) -> str:
        numbers = (box.top, box.bottom, box.left, box.right) if self.rows_first else (
            box.left, box.top, box.right, box.bottom)
        return '_'.join([tile.name, *map(str, numbers)])


@dataclass(frozen=True)
class Done:
    """Number of windows of a tile, and what was strange in it, if anything."""

    split: str
    windows: int
    note: str | None


def convert_tiles(tiles: Sequence[Tile], labels: Labels, style: Style, folder: Path,
                  unpack_to: Path, nproc: int) -> list[Done]:
    """Write windows to `folder`/img_dir/SPLIT and masks to `folder`/ann_dir/SPLIT.

    Each process has rows of one image or of one label image in memory. Raises DataError where an
    image and its labels differ in size, and for colours of no class unless they are ignored.
    """
    for tile in tiles:
        (folder / 'img_dir' / tile.split).mkdir(parents=True, exist_ok=True)
        if tile.label is not None:
            (folder / 'ann_dir' / tile.split).mkdir(parents=True, exist_ok=True)
    convert = partial(convert_tile, labels=labels, style=style, folder=folder, unpack_to=unpack_to)
    return track_parallel_progress(convert, tiles, nproc)


def convert_tile(tile: Tile, labels: Labels, style: Style, folder: Path, unpack_to: Path) -> Done:
    """Write the windows of a tile, then its masks."""
    with _rows(tile.image, unpack_to) as rows:
        size, count = (rows.height, rows.width), 0
        for box, img in cut(rows, style.windows, 0 if style.pad else None):
            imwrite(img, folder / 'img_dir' / tile.split / f'{style.stem(tile, box)}.png')
            count += 1
    if tile.label is None:
        return Done(tile.split, count, None)
    with _rows(tile.label, unpack_to) as rows:
        if (rows.height, rows.width) != size:
            raise DataError(f'{tile.label} has {rows.width} x {rows.height} pixels, but its image '
                            f'{tile.image} {size[1]} x {size[0]}: fetch both again')
        found = LabelRows(rows, labels.colours, labels.other, labels.unknown == 'nearest')
        for box, mask in cut(found, style.windows, labels.other if style.pad else None):
            write_mask(folder / 'ann_dir' / tile.split /
                       f'{style.stem(tile, box)}{style.mask_suffix}.png', mask, labels.palette)
        if labels.unknown != 'ignore':
            check_known(found, tile.label, labels.colours)
    return Done(tile.split, count, _note(tile.label, found))


def _note(place: Member, found: LabelRows) -> str | None:
    pixels = found.height * found.width
    if found.unknown:
        return f'{place}: {describe_unknown(found.unknown, pixels)}, and are ignored'
    return f'{place}: {describe_near(found.near, pixels)}' if found.near else None


def count_windows(done: Sequence[Done]) -> dict[str, int]:
    """The number of windows in each split; notes are logged as warnings."""
    counts: Counter[str] = Counter()
    for one in done:
        counts[one.split] += one.windows
        if one.note is not None:
            logger.warning(one.note)
    return dict(counts)


@contextmanager
def _rows(member: Member, unpack_to: Path) -> Iterator[Rows]:
    with member.on_disk(unpack_to) as path, open_rows(path, name=str(member)) as rows:
        yield rows
