"""The classes of a dataset: their names, colours, and numbers when only some of them are used."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import voc_colormap

Palette = list[list[int]]


def read_classes(classes: str | Sequence[str]) -> tuple[str, ...]:
    """Class names from a list of them, or from a text file with one a line."""
    names = classes
    if isinstance(classes, str):
        names = [line.strip() for line in list_from_file(classes) if line.strip()]
    if not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
        raise ConfigError(f'cannot read classes={classes!r}: give a list of names, or a text file '
                          'with one name a line')
    if not names or len(set(names)) < len(names):
        raise ConfigError(f'classes={classes!r}: there must be one name at least, and each once')
    return tuple(names)


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
    wrong = next((color for color in palette if not _is_rgb(color)), None)
    if wrong is not None:
        raise ConfigError(f'the palette holds {wrong!r}: a colour is a list of red, green and '
                          'blue, each from 0 to 255')
    names = wanted if names is None else names
    if len(palette) < len(names):
        raise ConfigError(f'the palette has {len(palette)} colours for {len(names)} classes: give '
                          'one RGB colour a class')
    return [list(palette[names.index(name)]) for name in wanted]


def _is_rgb(color: object) -> bool:
    try:
        values = np.asarray(color)
        return values.shape == (3,) and bool(((values >= 0) & (values <= 255)).all())
    except (TypeError, ValueError):
        return False
