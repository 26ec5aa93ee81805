"""How the files of masks hold classes: by numbers, by colours, or in one file a class."""
from dataclasses import dataclass

import numpy as np

from mmcv_replace.utils.errors import ConfigError

from .annotation import decode_label, lossy_format
from .class_files import (
    ClassFiles,
    Read,
    files_of,
    read_class_files,
    read_class_masks,
)
from .colour_map import ColourMap, decode_colours, map_colours, read_colour_map


@dataclass(frozen=True)
class MaskForm:
    """`colour_map` and `class_files` of a data set; without either, masks hold numbers.

    `seg_map_key` is the name of the mask in .npz files of several arrays.
    """

    colour_map: ColourMap | None = None
    class_files: ClassFiles | None = None
    seg_map_key: str | None = None

    def files(self, path: str) -> list[str]:
        """The files that the `path` of a mask stands for, not all of which need exist."""
        return [path] if self.class_files is None else list(files_of(path, self.class_files))

    def read(self, path: str, read: Read, backend: str = 'pillow',
             ignore_index: int = 255) -> tuple[np.ndarray, str | None]:
        """The values [H, W] in a mask, and its format where that changes values.

        `read` gives the content of a file. Raises DataError for a mask that does not have this
        form.
        """
        if self.class_files is not None:
            return read_class_masks(path, read, self.class_files)[0], None
        content = read(path)
        lossy = lossy_format(content)
        if self.colour_map is None:
            return decode_label(content, path, backend, self.seg_map_key), lossy
        return map_colours(decode_colours(content, path), self.colour_map, path,
                           ignore_index), lossy


def read_mask_form(owner: str, colour_map: object, class_files: object,
                   seg_map_key: str | None = None) -> MaskForm:
    """The form that the settings of a data set describe; ConfigError if they cannot be used."""
    if colour_map is not None and class_files is not None:
        raise ConfigError(f'{owner}: colour_map and class_files exclude each other: a mask is one '
                          'file of colours, or one file a class')
    if seg_map_key is not None and (colour_map is not None or class_files is not None):
        raise ConfigError(f'{owner}: seg_map_key={seg_map_key!r} names an array of numbers in .npz '
                          'files, but colour_map or class_files say that masks are pictures: '
                          'remove one of them')
    return MaskForm(read_colour_map(owner, colour_map), read_class_files(owner, class_files),
                    seg_map_key)
