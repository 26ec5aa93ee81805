"""A look at every image and mask: what values or colours the masks hold, and the sizes."""
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch.utils.data import Dataset

from mmcv_replace.fileio.backends.disk import read_bytes
from mmcv_replace.host import usable_cores
from mmcv_replace.image.limits import open_with_pillow
from mmcv_replace.utils.error_origin import is_dead_worker
from mmcv_replace.utils.errors import DataError, UserError, add_note

from ..loader.workers import ShieldedLoader, start_worker
from ..masks.annotation import (
    ColourMaskError,
    count_labels,
    decode_label,
    lossy_format,
    lossy_remedy,
)
from ..masks.class_files import ClassFiles, files_of, read_class_masks
from ..masks.colour_map import Colour, decode_colours, pack_colours, to_rgb
from .image_check import check_image
from .pairs import Pair, Pairs

FEW = 64  # files that are looked at without further processes
CHUNK = 16
MOST = 512  # colours of a mask that are kept, the most frequent ones

# Passes on the items of (series, its length), and shows the progress.
Progress = Callable[[tuple[Iterable, int]], Iterable]


@dataclass(frozen=True)
class Look:
    """What a mask holds. `values` and `colours`: pixels of each; with a palette both are there.

    `number`: of different colours, all of which are in `colours` unless they are too many.
    `overlap`: pixels that several files of one class each show.
    """

    pair: Pair
    pixels: int
    values: dict[int, int] | None = None
    colours: dict[Colour, int] | None = None
    number: int = 0
    palette: dict[int, Colour] = field(default_factory=dict)
    overlap: int = 0


def look_at(pairs: Pairs, class_files: ClassFiles | None, nproc: int | None = None,
            progress: Progress | None = None) -> list[Look]:
    """A look at the mask of each pair, in their order; `nproc` processes, one a core by default.

    Raises DataError for a file that cannot be read or decoded, a mask of another size than its
    image, and one in a format that changes values.
    """
    number = usable_cores() if nproc is None else nproc
    workers = 0 if len(pairs.pairs) < FEW or number <= 1 else number
    loader = ShieldedLoader(_Looks(pairs, class_files), batch_size=CHUNK, num_workers=workers,
                            collate_fn=list, worker_init_fn=start_worker,
                            generator=torch.Generator())
    series = (look for chunk in loader for look in chunk)
    try:
        found = list(series if progress is None else progress((series, len(pairs.pairs))))
    except RuntimeError as error:
        if isinstance(error, UserError) or not is_dead_worker(error):
            raise
        raise UserError('a process that looks at the masks died, often for want of memory: use '
                        f'fewer than {number} (--nproc)') from error
    for look in found:
        if isinstance(look, DataError):
            raise look
    return found


class _Looks(Dataset):
    """Looks at pairs, which torch's loader takes in parallel; errors of files are returned."""

    def __init__(self, pairs: Pairs, class_files: ClassFiles | None) -> None:
        self.pairs = pairs
        self.class_files = class_files

    def __len__(self) -> int:
        return len(self.pairs.pairs)

    def __getitem__(self, index: int) -> Look | DataError:
        pair = self.pairs.pairs[index]
        image, mask = (os.path.join(folder, file) for folder, file in (
            (self.pairs.images, pair.image), (self.pairs.masks, pair.mask)))
        try:
            if self.class_files is not None:
                look, size = _look_at_classes(pair, mask, self.class_files)
            else:
                look, size = _look_at_one(pair, mask)
            check_image(image, mask, size)
        except DataError as error:
            return error
        return look


def _look_at_one(pair: Pair, mask: str) -> tuple[Look, tuple[int, int]]:
    content = read_bytes(mask, 'the mask ')
    lossy = lossy_format(content)
    if lossy is not None:
        raise DataError(f'{mask}: {lossy_remedy(lossy)}; or are own_data.images and own_data.masks '
                        'exchanged?')
    describe = partial(Look, pair)
    try:
        label = decode_label(content, mask)
    except ColourMaskError as error:
        colours = pack_colours(error.colours)
        if colours is None:
            colours = decode_colours(content, mask)
        found, number = _count_colours(colours)
        return describe(colours.size, colours=found, number=number), colours.shape
    values, counts = count_labels(label)
    values = dict(zip(values.tolist(), counts.tolist(), strict=True))
    palette = _palette(content, values)
    colours = Counter()
    for value, count in values.items() if palette else ():
        colours[palette[value]] += count
    return describe(label.size, values, dict(colours) or None, len(colours),
                    palette), label.shape


def _look_at_classes(pair: Pair, mask: str,
                     class_files: ClassFiles) -> tuple[Look, tuple[int, int]]:
    lossy = [file for file in files_of(mask, class_files) if os.path.isfile(file)
             and lossy_format(read_bytes(file)) is not None]
    if lossy:
        raise DataError(f'{lossy[0]}: {lossy_remedy(lossy_format(read_bytes(lossy[0])))}')
    try:
        label, overlap = read_class_masks(mask, read_bytes, class_files)
    except DataError as error:
        add_note(error, f'the names of the masks, {pair.mask} of {pair.image}, look like one file '
                 'a class; if they are not, set own_data.mask_suffix to the end of those that '
                 'count')
        raise
    values, counts = count_labels(label)
    return Look(pair, label.size, dict(zip(values.tolist(), counts.tolist(), strict=True)),
                overlap=overlap), label.shape


def _count_colours(codes: np.ndarray) -> tuple[dict[Colour, int], int]:
    """Pixels of the most frequent colours [H, W], and the number of different ones."""
    flat = codes.reshape(-1)
    # Only runs of one colour are sorted: areas leave few.
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    lengths = np.diff(np.append(starts, flat.size))
    found, places = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(places, lengths).astype(int)
    order = np.argsort(-counts, kind='stable')[:MOST]
    return dict(zip(to_rgb(found[order]), counts[order].tolist(), strict=True)), len(found)


def _palette(content: bytes, values: Iterable[int]) -> dict[int, Colour]:
    """The colours of the values of a file with a palette; empty for one without."""
    try:
        with open_with_pillow(content) as img:
            entries = img.getpalette('RGB') if img.mode == 'P' else None
    except Exception:  # a format that Pillow does not know
        return {}
    if not entries:
        return {}
    found = {value: tuple(entries[3 * value:3 * value + 3]) for value in values}
    return found if all(len(colour) == 3 for colour in found.values()) else {}
