"""HRF: vessels in large images of 15 healthy eyes, 15 with glaucoma and 15 with retinopathy.

The first five of each are for training, as in mmsegmentation. Images and masks of each group are an
archive; the suffix of some images is in upper case.
"""
from collections.abc import Sequence
from pathlib import Path

from .retina import Sample, convert_retina
from .unpack import unpacked

GROUPS = ('h', 'g', 'dr')
SAMPLES = [
    Sample('training' if number <= 5 else 'validation', f'{number:02}_{group}',
           f'{number:02}_{group}.jpg', {f'{number:02}_{group}': f'{number:02}_{group}.tif'})
    for group in GROUPS for number in range(1, 16)]


def convert_hrf(archives: Sequence[str | Path], out_dir: str | Path, nproc: int = 1,
                tmp_dir: str | Path | None = None) -> dict[str, int]:
    """Convert the archives of all images and masks, in any order, as `convert_retina` does."""
    with unpacked(archives, tmp_dir) as files:
        return convert_retina(SAMPLES, files, out_dir, nproc)
