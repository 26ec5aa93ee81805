"""What the converters of the ISPRS benchmark's cities share: tiles with labels in colours.

Source: https://www.isprs.org/education/benchmarks/UrbanSemLab, the 2D semantic labelling contest.
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmseg.datasets.isprs import COLOURS

from ..archives import Member, unpack_folder
from ..completeness import check_split, warn_of_subset
from ..finding import Key, find_files
from ..staging import staged
from .tiles import Labels, Style, Tile, convert_tiles, count_windows
from .windows import Windows

# In the label images without borders of objects these are black, and are no class: 0 in the masks.
LABELS = {(0, 0, 0): 0} | {colour: label for label, colour in enumerate(COLOURS.values(), 1)}
CLIP_SIZE = 512  # pixels


@dataclass(frozen=True)
class City:
    """The archives of a city, and its tiles."""

    image: str  # patterns of places, as for `find_files`, with the number of the tile in brackets
    label: str
    nested: str  # pattern of archives within archives
    expected: str  # the archives in words
    tile_name: str  # of windows, in which {} stands for the number
    splits: Mapping[str, Sequence[str]]  # the numbers
    full_counts: Mapping[str, int]  # windows that the published scores are of


def convert_city(city: City, dataset_path: str | Path, out_dir: str | Path,
                 tmp_dir: str | Path | None = None, clip_size: int = CLIP_SIZE,
                 stride_size: int | None = None, unknown: str = 'nearest',
                 nproc: int = 1) -> dict[str, int]:
    """Write windows and masks; returns their number in each split.

    `stride_size`, the distance of windows, is `clip_size` where it is None. What has to be unpacked
    goes to `tmp_dir` (by default to a folder in `out_dir`) and is deleted. `unknown`, of colours of
    no class: 'nearest' takes those near that of a class for it, which a warning tells, and refuses
    others; 'error' refuses and 'ignore' ignores them all. Raises DataError for archives, tiles and
    colours that cannot be used; then `out_dir` is as before.
    """
    step = clip_size if stride_size is None else stride_size
    windows = Windows(clip_size, clip_size, step, step, '--clip_size and --stride_size')
    with staged(out_dir) as folder, unpack_folder(tmp_dir, folder) as unpack_to:
        tiles = find_tiles(city, dataset_path, unpack_to)
        labels = Labels(LABELS, [(0, 0, 0), *COLOURS.values()], 0, unknown)
        style = Style(windows, pad=False, mask_suffix='', rows_first=False)
        done = convert_tiles(tiles, labels, style, folder, unpack_to, nproc)
    counts = count_windows(done)
    if (clip_size, step) == (CLIP_SIZE, CLIP_SIZE):
        warn_of_subset(counts, city.full_counts, 'windows')
    return counts


def find_tiles(city: City, source: str | Path, unpack_to: Path) -> list[Tile]:
    """The tiles that are there; DataError where an image lacks labels, or a split images."""
    found = find_files(source, dict(image=city.image, label=city.label), city.nested, unpack_to)
    images, labels = _numbers(found['image']), _numbers(found['label'])
    tiles = []
    for split, numbers in city.splits.items():
        here = [number for number in numbers if number in images]
        missing = [number for number in here if number not in labels]
        check_split(source, split, here, missing, city.expected)
        tiles += [Tile(city.tile_name.format(number), split, images[number], labels[number])
                  for number in here]
    return tiles


def _numbers(found: Mapping[Key, Member]) -> dict[str, Member]:
    return {number: member for (number,), member in found.items()}
