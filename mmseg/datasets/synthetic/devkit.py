"""Write synthetic scenes as a VOC devkit, with additional annotations in the format of SBD."""
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils import track_parallel_progress, track_progress
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import write_palette_png

from ..converters.mat_files import need_scipy
from ..converters.staging import write_names
from .scene import make_scene

JPEG_QUALITY = 95
PREFIX = 'synthetic_'


@dataclass(frozen=True)
class SplitSizes:
    """Number of images in VOC's lists `train` and `val`, and of images annotated in SBD alone."""

    train: int
    val: int
    aug: int

    def names(self) -> dict[str, list[str]]:
        """Image names of each split; the numbers of the scenes continue from split to split."""
        numbers = iter(range(self.train + self.val + self.aug))
        return {split: [f'{PREFIX}{next(numbers):06d}' for _ in range(count)]
                for split, count in vars(self).items()}


def make_devkit(root: str | Path, sizes: SplitSizes, size: int = 160, seed: int = 0,
                nproc: int = 1) -> None:
    """Write `root/VOC2012` and `root/VOCaug/dataset`; images have `size` pixels on the longer side.

    As in the real data, SBD annotates all images without void borders, and its split of them is
    independent of VOC's. The files depend on `sizes`, `size` and `seed` alone. Raises ConfigError
    for impossible sizes and without scipy, DataError where `root` holds other data.
    """
    need_scipy('SBD')
    if min(sizes.train, sizes.val) < 1 or sizes.aug < 0:
        raise ConfigError(f'a devkit needs images to train and to validate on, not {sizes}')
    if size < 32:
        raise ConfigError(f'size={size}: objects need an image of at least 32 pixels')
    if seed < 0:
        raise ConfigError(f'seed={seed}: it must not be negative')
    voc, sbd = Path(root, 'VOC2012'), Path(root, 'VOCaug', 'dataset')
    foreign = next((path for path in voc.glob('JPEGImages/*') if not path.name.startswith(PREFIX)),
                   None)
    if foreign is not None:
        raise DataError(f'{root} holds other data ({foreign}), whose lists would be lost; choose '
                        'an empty folder')
    names = sizes.names()
    with_mask = {*names['train'], *names['val']}
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (voc / folder).mkdir(parents=True, exist_ok=True)
    (sbd / 'cls').mkdir(parents=True, exist_ok=True)

    samples = [(index, name, name in with_mask)
               for index, name in enumerate(name for split in names.values() for name in split)]
    track = partial(track_parallel_progress, nproc=nproc) if nproc > 1 else track_progress
    track(partial(write_sample, voc=voc, sbd=sbd, size=size, seed=seed), samples)

    lists = voc / 'ImageSets' / 'Segmentation'
    write_names(lists / 'train.txt', names['train'])
    write_names(lists / 'val.txt', names['val'])
    write_names(lists / 'trainval.txt', with_mask)
    everything = [name for _, name, _ in samples]
    write_names(sbd / 'train.txt', everything[::2])
    write_names(sbd / 'val.txt', everything[1::2])


def write_sample(sample: tuple[int, str, bool], voc: Path, sbd: Path, size: int, seed: int) -> None:
    """Write image and annotations of `sample`: (scene number, name, whether VOC has a mask)."""
    index, name, in_voc = sample
    scene = make_scene(seed, index, size)
    encoded = cv2.imencode('.jpg', scene.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    with atomic_write(voc / 'JPEGImages' / f'{name}.jpg') as file:
        file.write(encoded.tobytes())
    if in_voc:
        write_palette_png(voc / 'SegmentationClass' / f'{name}.png', scene.with_void())
    write_mat(sbd / 'cls' / f'{name}.mat', scene.labels)


def write_mat(path: Path, labels: np.ndarray) -> None:
    """Write a label map [H, W] as SBD does: in the field GTcls.Segmentation of a MATLAB file."""
    from scipy.io import savemat
    present = np.unique(labels[labels > 0])
    annotation = {'Segmentation': labels, 'CategoriesPresent': present[:, None]}
    with atomic_write(path) as file:
        savemat(file, {'GTcls': annotation}, do_compression=True)
