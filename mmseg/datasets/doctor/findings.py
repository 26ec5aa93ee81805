"""What can be wrong with a dataset, how bad it is, and what to do about it."""
from dataclasses import dataclass, field

import numpy as np

from mmcv_replace.utils.errors import DataError, UnsupportedImageError

SEVERITIES = ('error', 'warning', 'info')


@dataclass(frozen=True)
class Kind:
    """A kind of finding: severity, title in the report, and what to do about it."""

    severity: str
    title: str
    remedy: str


# Number of the source in the report, and index in that source.
Sample = tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, with the `sample` where it concerns one."""

    kind: str
    split: str
    file: str
    detail: str
    sample: Sample | None = None

    @property
    def severity(self) -> str:
        return KINDS[self.kind].severity


@dataclass
class Diagnosis:
    """The findings of one sample and what tallies need of it.

    `digest` is the hash of the image file. `values` [V] are those in the mask file, ascending, and
    `counts` [V] how many pixels have each; None without a readable mask. `lossy` is the format of
    the mask file where it is one that changes values.
    """

    sample: Sample
    split: str
    findings: list[Finding] = field(default_factory=list)
    digest: bytes | None = None
    values: np.ndarray | None = None
    counts: np.ndarray | None = None
    lossy: str | None = None

    def add(self, kind: str, file: str, detail: str) -> None:
        self.findings.append(Finding(kind, self.split, file, detail, self.sample))

    def add_error(self, file: str, error: DataError) -> None:
        """Add the finding for a file that cannot be decoded."""
        kind = 'unsupported' if isinstance(error, UnsupportedImageError) else 'unreadable'
        self.add(kind, file, str(error).removeprefix(f'{file}: '))


CONVERT_COLOURS = ('give the dataset colour_map, the number of the class of each colour, such as '
                   "colour_map={'128,64,128': 0, '70,70,70': 1, '*': -1} with -1 for what is "
                   'ignored, or colour_map=PALETTE where the masks have the colours of the palette')

# In the order of the report.
KINDS = {
    'labels': Kind('error', 'settings of the labels that contradict each other', ''),
    'missing': Kind(
        'error', 'missing files',
        'fetch them, correct the folder or the suffix, or take their names off the list'),
    'truncated': Kind('error', 'truncated files', 'fetch or make them again'),
    'unreadable': Kind('error', 'unreadable files', 'fetch or make them again'),
    'unsupported': Kind('error', 'sound files that are not read as they are set up', ''),
    'size-mismatch': Kind(
        'error', 'masks of another size than their images',
        'make both again from one source; a mask must not be resized with interpolation'),
    'exif-mask': Kind(
        'error', 'masks of images that an EXIF tag turns',
        'store the images upright (mogrify -auto-orient), then turn the masks as well'),
    'not-finite': Kind(
        'error', 'images with NaN or infinite values',
        'the loss would become NaN: write a number there, such as the mean of the band, and the '
        'ignored label in the mask'),
    'colour-mask': Kind('error', 'masks of colours', CONVERT_COLOURS),
    'label-range': Kind('error', 'masks with values that are no class', ''),
    'binary-mask': Kind('error', 'masks of two values', ''),
    'leak': Kind(
        'error', 'leak: training images that are also validated or tested on',
        'take them off the list of the training, or the score means nothing'),
    'duplicate': Kind(
        'warning', 'images that come more than once', 'take them off the list, or let them weigh '
        'more than others'),
    'lossy-mask': Kind(
        'warning', 'masks in a lossy format', 'values at the borders become those of other '
        'classes: make the masks again as PNG from their source'),
    'empty-mask': Kind(
        'warning', 'masks without a pixel that counts', 'all their pixels are ignored'),
    'absent-class': Kind(
        'warning', 'classes that never occur', 'correct `classes`, label_map or the masks'),
    'exif-unsure': Kind(
        'warning', 'images that an EXIF tag turns',
        'make sure that the masks were drawn on the upright images: the sizes fit either way'),
    'bit-depth': Kind(
        'warning', 'images of more than 8 bits', 'they are cut to 8 bits; in_channels, at the '
        'top of the config, keeps them'),
    'channels': Kind(
        'warning', 'images with other channels than red, green and blue',
        'the others are dropped or mixed; in_channels, at the top of the config, keeps all bands'),
    'suffix-case': Kind(
        'warning', 'files left out because of the case of their suffix',
        'rename them, or add a dataset with that suffix'),
    'unlistable': Kind(
        'warning', 'names that a list file cannot hold', 'rename the files'),
    'not-checked': Kind('warning', 'data that cannot be checked', ''),
    'exif': Kind('info', 'images that an EXIF tag turns, with masks that fit', ''),
    'grey': Kind('info', 'grey images', 'they are loaded with three equal channels'),
    'two-values': Kind(
        'info', 'masks of 0 and ignored pixels alone',
        'as it should be for background; masks of two classes, the second saved as the ignored '
        'value (0 and 255, say), look like this too'),
    'unlisted': Kind('info', 'images that no list names', ''),
}
# Samples that cannot be loaded, which data.on_error='skip' skips.
UNLOADABLE = ('missing', 'truncated', 'unreadable', 'unsupported', 'size-mismatch', 'exif-mask',
              'colour-mask', 'label-range')
