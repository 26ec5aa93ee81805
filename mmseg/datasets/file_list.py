"""The samples of a folder or a split file, and whether their files exist."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch.utils.data import Dataset

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils import scandir
from mmcv_replace.utils.errors import DataError, EmptyDatasetError

SHOWN = 3

ImgInfo = dict[str, str | dict[str, str]]

_look_for_files: ContextVar[bool] = ContextVar('look_for_files', default=True)


def list_samples(img_dir: str, img_suffix: str, ann_dir: str | None, seg_map_suffix: str,
                 split: str | None) -> list[ImgInfo]:
    """Each image as dict(filename=..., ann=dict(seg_map=...)), relative to img_dir and ann_dir.

    The names (without suffix) are the lines of the split file; without one they are those of all
    images under `img_dir`, sorted. There is no `ann` without `ann_dir`.
    """
    if split is not None:
        names = [line.strip() for line in list_from_file(split) if line.strip()]
    else:
        try:
            files = list(scandir(img_dir, img_suffix, recursive=True))
        except OSError as error:
            raise DataError(f'cannot read the folder {error.filename}: {error.strerror}') from error
        names = sorted(file.removesuffix(img_suffix) for file in files)
    infos: list[ImgInfo] = [{'filename': name + img_suffix} for name in names]
    if ann_dir is not None:
        for info, name in zip(infos, names, strict=True):
            info['ann'] = {'seg_map': name + seg_map_suffix}
    return infos


def check_folders(dataset: Dataset) -> None:
    """Raise DataError where a folder or the split file of a CustomDataset does not exist."""
    owner = type(dataset).__name__
    for key in ('img_dir', 'ann_dir'):
        path = getattr(dataset, key)
        if path is not None and not is_remote(path) and not os.path.isdir(path):
            raise DataError(f'{owner}: {key} {path} is not a folder; correct {key} or data_root')
    if dataset.split is not None and not os.path.isfile(dataset.split):
        raise DataError(f'{owner}: the split file {dataset.split} does not exist; correct split or '
                        'data_root')


@contextmanager
def files_may_be_missing() -> Iterator[None]:
    """Let data sets be built whose first files do not exist, to report or skip these later."""
    token = _look_for_files.set(False)
    try:
        yield
    finally:
        _look_for_files.reset(token)


def check_samples(dataset: Dataset) -> None:
    """Raise DataError where the first files of a CustomDataset do not exist.

    Raises EmptyDatasetError where it has no samples.
    """
    owner, img_dir, ann_dir = type(dataset).__name__, dataset.img_dir, dataset.ann_dir
    place = f'img_dir {img_dir}, img_suffix {dataset.img_suffix!r}, split {dataset.split}'
    if not dataset.img_infos:
        raise EmptyDatasetError(f'{owner}: 0 images ({place}); {_why_empty(dataset)}')
    first = dataset.img_infos[:SHOWN] if _look_for_files.get() else []
    images = [os.path.join(img_dir, info['filename']) for info in first if 'filename' in info]
    masks = [os.path.join(ann_dir, info['ann']['seg_map']) for info in first
             if ann_dir is not None and 'ann' in info]
    for kind, paths, setting in (('images', images, place), ('masks', masks, f'ann_dir {ann_dir}')):
        missing = [path for path in paths if not is_remote(path) and not os.path.isfile(path)]
        if missing:
            raise DataError(
                f'{owner}: {kind} are missing: {missing[0]} does not exist ({setting}). The first '
                f'expected {kind} are {", ".join(paths)}; correct the folder, the suffix'
                + (' or the split, whose lines are names without suffix' if dataset.split else ''))


def is_remote(path: str) -> bool:
    """Whether a path is an address of another storage than the disk, where nothing is checked."""
    return '://' in path


def _why_empty(dataset: Dataset) -> str:
    expected = ', '.join(
        os.path.join(dataset.img_dir, f'NAME_{number}{dataset.img_suffix}')
        for number in range(1, SHOWN + 1))
    if dataset.split is not None:
        return f'the split file has no line; expected names of images such as {expected}'
    found = sorted(os.listdir(dataset.img_dir))[:SHOWN]
    return (f'expected files such as {expected}, but the folder holds '
            + (', '.join(found) if found else 'nothing'))
