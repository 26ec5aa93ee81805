"""Which samples a dataset folder or a split file lists, and whether their files are there."""
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils import scandir
from mmcv_replace.utils.errors import DataError, EmptyDatasetError

SHOWN = 3

ImgInfo = dict[str, str | dict[str, str]]

_look_for_files: ContextVar[bool] = ContextVar('look_for_files', default=True)


def list_samples(
    img_dir: str,
    img_suffix: str,
    ann_dir: str | None,
    seg_map_suffix: str,
    split: str | None,
) -> list[ImgInfo]:
    """Each image as dict(filename=..., ann=dict(seg_map=...)), relative to img_dir and ann_dir.

    The names (without suffix) are the lines of the split file, or without one those of all images
    under `img_dir`, sorted. There is no `ann` without `ann_dir`.
    """
    if split is not None:
        names = [line.strip() for line in list_from_file(split) if line.strip()]
    else:
        names = sorted(file.removesuffix(img_suffix) for file in _scan(img_dir, img_suffix))
    infos: list[ImgInfo] = [{'filename': name + img_suffix} for name in names]
    if ann_dir is not None:
        for info, name in zip(infos, names, strict=True):
            info['ann'] = {'seg_map': name + seg_map_suffix}
    return infos


def _scan(folder: str, suffix: str) -> Iterator[str]:
    try:
        yield from scandir(folder, suffix, recursive=True)
    except OSError as error:
        raise DataError(f'cannot read the folder {error.filename}: {error.strerror}') from error


def check_folders(owner: str, img_dir: str, ann_dir: str | None, split: str | None) -> None:
    """Raise DataError where a folder or the split file of a dataset does not exist."""
    for key, path in (('img_dir', img_dir), ('ann_dir', ann_dir)):
        if path is not None and not is_remote(path) and not os.path.isdir(path):
            raise DataError(f'{owner}: {key} {path} is not a folder; correct {key} or data_root')
    if split is not None and not os.path.isfile(split):
        raise DataError(f'{owner}: the split file {split} does not exist; correct split or '
                        'data_root')


@contextmanager
def files_may_be_missing() -> Iterator[None]:
    """Let datasets be made whose first files do not exist; for who copes with missing files."""
    token = _look_for_files.set(False)
    try:
        yield
    finally:
        _look_for_files.reset(token)


def check_samples(
    owner: str,
    infos: Sequence[ImgInfo],
    img_dir: str,
    img_suffix: str,
    ann_dir: str | None,
    split: str | None,
) -> None:
    """Raise DataError where a dataset is empty (its subclass) or its first files do not exist."""
    place = f'img_dir {img_dir}, img_suffix {img_suffix!r}, split {split}'
    if not infos:
        raise EmptyDatasetError(
            f'{owner}: 0 images ({place}); {_why_empty(img_dir, img_suffix, split)}')
    first = infos[:SHOWN] if _look_for_files.get() else []
    images = [os.path.join(img_dir, info['filename']) for info in first if 'filename' in info]
    masks = [os.path.join(ann_dir, info['ann']['seg_map']) for info in first
             if ann_dir is not None and 'ann' in info]
    for kind, paths, setting in (('images', images, place), ('masks', masks, f'ann_dir {ann_dir}')):
        missing = [path for path in paths if not is_remote(path) and not os.path.isfile(path)]
        if missing:
            raise DataError(
                f'{owner}: {kind} are missing: {missing[0]} does not exist ({setting}). The first '
                f'expected {kind} are {", ".join(paths)}; correct the folder, the suffix'
                + (' or the split, whose lines are names without suffix' if split else ''))


def is_remote(path: str) -> bool:
    """Whether a path is the address of a storage other than the disk, which is not checked."""
    return '://' in path


def _why_empty(img_dir: str, img_suffix: str, split: str | None) -> str:
    expected = ', '.join(os.path.join(img_dir, f'NAME_{number}{img_suffix}')
                         for number in range(1, SHOWN + 1))
    if split is not None:
        return f'the split file has no line; expected names of images such as {expected}'
    found = sorted(os.listdir(img_dir))[:SHOWN]
    return (f'expected files such as {expected}, but the folder holds '
            + (', '.join(found) if found else 'nothing'))
