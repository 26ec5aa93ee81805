"""STARE (stare-images.tar, labels-ah.tar, labels-vk.tar): vessels in 20 retinas, as .ppm.gz.

The first ten are for training, as in mmsegmentation.
"""
from pathlib import Path

from .retina import Sample, convert_retina
from .unpack import unpacked

NUMBERS = (1, 2, 3, 4, 5, 44, 77, 81, 82, 139, 162, 163, 235, 236, 239, 240, 255, 291, 319, 324)
NAMES = [f'im{number:04}' for number in NUMBERS]
SAMPLES = [
    Sample('training' if place < 10 else 'validation', name, f'{name}.ppm.gz',
           {f'{name}.{observer}': f'{name}.{observer}.ppm.gz' for observer in ('ah', 'vk')})
    for place, name in enumerate(NAMES)]


def convert_stare(images: str | Path, labels_ah: str | Path, labels_vk: str | Path,
                  out_dir: str | Path, nproc: int = 1,
                  tmp_dir: str | Path | None = None) -> dict[str, int]:
    """Convert the archives, as `convert_retina` does."""
    with unpacked([images, labels_ah, labels_vk], tmp_dir) as files:
        return convert_retina(SAMPLES, files, out_dir, nproc)
