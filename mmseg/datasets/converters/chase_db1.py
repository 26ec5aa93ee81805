"""CHASE DB1 (CHASEDB1.zip): vessels in the retinas of 14 children, both eyes.

The first 10 children are for training, as in mmsegmentation.
"""
from pathlib import Path

from .retina import Sample, convert_retina
from .unpack import unpacked

EYES = [(child, f'Image_{child:02}{side}') for child in range(1, 15) for side in 'LR']
SAMPLES = [
    Sample('training' if child <= 10 else 'validation', eye, f'{eye}.jpg',
           {f'{eye}_{observer}': f'{eye}_{observer}.png' for observer in ('1stHO', '2ndHO')})
    for child, eye in EYES]


def convert_chase_db1(archive: str | Path, out_dir: str | Path,
                      nproc: int = 1, tmp_dir: str | Path | None = None) -> dict[str, int]:
    """Convert the archive, as `convert_retina` does."""
    with unpacked([archive], tmp_dir) as files:
        return convert_retina(SAMPLES, files, out_dir, nproc)
