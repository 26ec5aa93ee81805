"""DRIVE (training.zip, test.zip): vessels in 40 retinas, of which the archives say the split.

The masks are GIFs. Today's test.zip has none, which the archive of former years had.
"""
import logging
from collections.abc import Sequence
from pathlib import Path

from .archives import Member
from .retina import Sample, convert_retina
from .unpack import unpacked

TRAINING, TESTING = range(21, 41), range(1, 21)
OBSERVERS = ('manual1', 'manual2')

logger = logging.getLogger('mmseg.drive')


def convert_drive(training: str | Path, testing: str | Path, out_dir: str | Path,
                  nproc: int = 1, tmp_dir: str | Path | None = None) -> dict[str, int]:
    """Convert the archives, as `convert_retina` does; warns where there is no mask to score by."""
    with unpacked([training, testing], tmp_dir) as files:
        return convert_retina(list_samples(files, testing), files, out_dir, nproc)


def list_samples(files: Sequence[Member], testing: str | Path) -> list[Sample]:
    """The samples, of those to test on with the masks of whom there is any."""
    names = {file.name.lower() for file in files}
    observers = [observer for observer in OBSERVERS
                 if any(f'{number:02}_{observer}.gif' in names for number in TESTING)]
    if OBSERVERS[0] not in observers:
        logger.warning(
            f'{testing} has no masks (1st_manual/01_manual1.gif, ...): training works, but '
            'evaluation has nothing to compare with. Train with --no-validate, take '
            'data.val from the training images, or use an archive with masks')
    return [
        *(Sample('training', f'{number}', f'{number}_training.tif',
                 {f'{number}_manual1': f'{number}_manual1.gif'}) for number in TRAINING),
        *(Sample('validation', f'{number:02}', f'{number:02}_test.tif',
                 {f'{number:02}_{observer}': f'{number:02}_{observer}.gif'
                  for observer in observers}) for number in TESTING)]
