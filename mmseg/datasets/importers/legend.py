"""Which index the pixels of a class get."""
import os
from collections.abc import Sequence
from dataclasses import dataclass

from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.suggest import did_you_mean, short

from ..masks.classes import read_classes
from .options import Options, Unlabelled

IGNORED = 255
# What tools call the class of pixels without an object.
BACKGROUND = ('background', '_background_', '__background__')
# Labelme's name for what counts as no class.
ALWAYS_IGNORED = ('__ignore__',)


@dataclass(frozen=True)
class Legend:
    """Names of the classes by index, and those that are ignored.

    `unlabelled` is the value of pixels that no object covers.
    """

    classes: tuple[str, ...]
    ignored: frozenset[str]
    unlabelled: int

    def value(self, label: str | None) -> int:
        """The index of a class; 255 for one that is ignored. DataError for one that is in no list.
        """
        if label is None or label in self.ignored:
            return IGNORED
        if label not in self.classes:
            raise DataError(f'class {label!r} is not among {short(list(self.classes))}'
                            f'{did_you_mean(label, self.classes)}; add it to --classes, or name it '
                            'after --ignore')
        return self.classes.index(label)


def make_legend(names: Sequence[str], used: set[str], options: Options,
                unlabelled: Unlabelled) -> Legend:
    """The classes of an import.

    `names` are those of the export, `used` those that objects have. Raises ConfigError where the
    options do not fit them.
    """
    ignored = frozenset((*ALWAYS_IGNORED, *options.ignore))
    unknown = [name for name in options.ignore if name not in names]
    if unknown:
        raise ConfigError(f'--ignore {unknown[0]}: the export has no such class'
                          f'{did_you_mean(unknown[0], names)}; it has {short(list(names), 200)}')
    if options.classes is not None:
        classes = [name for name in read_listed(options.classes) if name not in ignored]
        lacking = sorted(used - {*classes, *ignored})
        if lacking:
            raise ConfigError(
                f'--classes has no {short(lacking, 200)}, which objects have'
                f'{did_you_mean(lacking[0], classes)}; add these names in the order that the '
                'indices should have, or name them after --ignore')
    else:
        classes = [name for name in dict.fromkeys(names) if name not in ignored]
    background = next((name for name in classes if name.lower() in BACKGROUND), None)
    if unlabelled == 'background' and background is None:
        if options.classes is not None:
            raise ConfigError(
                f'--classes {short(classes)} has no class for the pixels that no object covers: '
                "add 'background' where its index should be, or use --unlabelled ignore")
        background = BACKGROUND[0]
        classes.insert(0, background)
    if len(classes) > IGNORED:
        raise ConfigError(f'the export has {len(classes)} classes, and a mask of 8 bits holds '
                          f'{IGNORED} beside the ignored pixels; name those to leave out after '
                          '--ignore')
    value = classes.index(background) if unlabelled == 'background' else IGNORED
    return Legend(tuple(classes), ignored, value)


def read_listed(classes: Sequence[str]) -> Sequence[str]:
    """Names as they are given on the command line: a file with one a line, or the names."""
    if len(classes) == 1 and (os.path.isfile(classes[0]) or classes[0].endswith('.txt')):
        return read_classes(classes[0])
    return read_classes(list(classes))
