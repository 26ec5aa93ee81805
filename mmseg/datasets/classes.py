"""The classes of a dataset: their names, colours, and numbers when only some of them are used."""
from collections.abc import Sequence

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import voc_colormap

Palette = list[list[int]]


def read_classes(classes: str | Sequence[str]) -> tuple[str, ...]:
    """Class names from a list of them, or from a text file with one a line."""
    if isinstance(classes, str):
        return tuple(line.strip() for line in list_from_file(classes) if line.strip())
    if isinstance(classes, list | tuple) and all(isinstance(name, str) for name in classes):
        return tuple(classes)
    raise ConfigError(f'cannot read classes={classes!r}: give a list of names, or a text file with '
                      'one name a line')


def subset_label_map(
    names: Sequence[str],
    wanted: Sequence[str],
    ignore_index: int,
    reduce_zero_label: bool,
    label_map: dict[int, int] | None = None,
) -> dict[int, int]:
    """Mask value -> place of its class in `wanted`, or `ignore_index` for a class not wanted.

    `label_map` leads from mask values to `names` where these are not the same numbers. With
    `reduce_zero_label`, which comes after this map and lowers all by one, both sides count from 1.
    """
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f'classes {unknown} are not among the classes of the dataset: '
                          f'{", ".join(names)}')
    shift = int(reduce_zero_label)
    places = {old + shift: wanted.index(name) + shift if name in wanted else ignore_index
              for old, name in enumerate(names)}
    if label_map is None:
        return places
    return {value: places.get(old, old) for value, old in label_map.items()}


def choose_palette(
    wanted: Sequence[str],
    palette: Sequence[Sequence[int]] | None,
    names: Sequence[str] | None = None,
) -> Palette:
    """RGB colours of `wanted`, from `palette`, the colours of `names` (by default `wanted`).

    VOC's colours serve where there is no palette.
    """
    if palette is None:
        return voc_colormap(len(wanted)).tolist()
    names = wanted if names is None else names
    if len(palette) < len(names):
        raise ConfigError(f'the palette has {len(palette)} colours for {len(names)} classes: give '
                          'one RGB colour a class')
    return [list(palette[names.index(name)]) for name in wanted]
