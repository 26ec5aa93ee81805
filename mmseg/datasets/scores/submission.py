"""Label maps in the form in which the test server of a data set takes them."""
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import ArgumentError
from mmseg.core.utils import write_grey_png, write_palette_png


class ServerForm:
    """How label maps are written: the values of the classes, grey or with colours.

    `labels`: the values by which the server knows classes; they are written where all `classes`
    have one, else the indices. `palette` [C, 3] RGB is that of the classes. `grey` writes the
    server's values without colours.
    """

    def __init__(self, classes: Sequence[str] | None, labels: Mapping[str, int],
                 palette: Sequence[Sequence[int]] | None, grey: bool) -> None:
        self._values, self._palette, self._grey = None, palette, False
        if classes and set(classes) <= labels.keys():
            self._values = np.array([labels[name] for name in classes], np.uint8)
            self._palette = np.zeros((self._values.max() + 1, 3), np.uint8)
            self._palette[self._values] = palette
            self._grey = grey

    def write(self, path: str, label_map: np.ndarray) -> None:
        """Write class indices [H, W] as a PNG; raises DataError where that cannot be done."""
        label_map = label_map if self._values is None else self._values[label_map]
        if self._grey:
            write_grey_png(path, label_map)
        else:
            write_palette_png(path, label_map, self._palette)


def find_out_dir(results: Iterable[Any], out_dir: str | None,
                 imgfile_prefix: str | None = None) -> str | None:
    """The folder to write `results` to; None where there is nothing to write.

    `imgfile_prefix` is its name in 0.x. Raises ArgumentError for both names, or neither.
    """
    if out_dir and imgfile_prefix:
        raise ArgumentError(f'out_dir={out_dir!r} and imgfile_prefix={imgfile_prefix!r} are names '
                            'of one thing, the folder for the label maps: give one of them')
    if isinstance(results, Sequence) and not results:
        return None
    if not out_dir and not imgfile_prefix:
        raise ArgumentError('format_results: out_dir is missing, the folder for the label maps')
    return out_dir or imgfile_prefix


def split_options(options: Mapping[str, Any], folder: str, format_only: bool,
                  own_evaluate: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of `--eval-options` the arguments for `evaluate` of a data set, and for `format_results`.

    The latter have an `out_dir`, by default `folder`, or are empty where no files are to be
    written: without `format_only`, unless there is an `imgfile_prefix`. That is its name in 0.x,
    where files are written beside scores too. An `own_evaluate`, of a user, may need it itself.
    Raises ArgumentError for both names.
    """
    given = dict(options)
    prefix = None if own_evaluate else given.pop('imgfile_prefix', None)
    files = given if format_only else {}
    if prefix is not None:
        return given, files | {'out_dir': find_out_dir((None,), given.get('out_dir'), str(prefix))}
    return given, {'out_dir': folder, **files} if format_only else {}
