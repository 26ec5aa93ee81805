"""The samples of a folder or a split file, and whether their files exist."""
import os
from collections.abc import Sequence

from torch.utils.data import Dataset

from mmcv_replace.fileio import FileClient, is_remote, list_from_file
from mmcv_replace.utils.errors import DataError, EmptyDatasetError, MissingDataError

from .folders import files_below

SHOWN = 3

TAB = '\t'  # in a line of a list: between an image and its mask

ImgInfo = dict[str, str | bool | dict[str, str]]


def list_samples(img_dir: str, img_suffix: str, ann_dir: str | None, seg_map_suffix: str,
                 split: str | None) -> list[ImgInfo]:
    """Each image as dict(filename=..., ann=dict(seg_map=...)), relative to img_dir and ann_dir.

    The names (without suffix) are the lines of the split file; without one they are those of all
    images under `img_dir`, sorted. There is no `ann` without `ann_dir`. A line with a tab holds the
    files of an image and its mask; such a sample is `paired`.
    """
    if split is not None:
        names = [line.strip() for line in list_from_file(split) if line.strip()]
    elif is_remote(img_dir):
        files = FileClient.infer_client(uri=img_dir).list_dir_or_file(
            img_dir, list_dir=False, suffix=img_suffix, recursive=True)
        names = sorted(file.removesuffix(img_suffix) for file in files)
    else:
        names = sorted(file.removesuffix(img_suffix) for file in files_below(
            img_dir, img_suffix, remedy='correct img_dir, data_root or its permissions'))
    return [_describe(name, img_suffix, None if ann_dir is None else seg_map_suffix, split)
            for name in names]


def _describe(name: str, img_suffix: str, seg_map_suffix: str | None, split: str | None) -> ImgInfo:
    """One sample, by the line of a list or the name of its image."""
    if split is not None and TAB in name:
        image, _, mask = map(str.strip, name.partition(TAB))
        if not image or not mask or name.count(TAB) != 1:
            raise DataError(f'{split}: the line {name!r} does not hold an image and its mask, with '
                            'one tab between them')
        info: ImgInfo = {'filename': image, 'paired': True}
    else:
        info, mask = {'filename': name + img_suffix}, name + (seg_map_suffix or '')
    if seg_map_suffix is not None:
        info['ann'] = {'seg_map': mask}
    return info


def list_line(info: ImgInfo, img_suffix: str) -> str:
    """The line of a list for a sample."""
    if info.get('paired'):
        return TAB.join(_files(info))
    return info['filename'].removesuffix(img_suffix)


def paired_info(image: str, mask: str) -> ImgInfo:
    """A sample whose line of a list holds the files of its image and mask."""
    return {'filename': image, 'paired': True, 'ann': {'seg_map': mask}}


def unlistable(info: ImgInfo, img_suffix: str) -> str:
    """What keeps the name of a sample from being a line of a list; '' where nothing does."""
    for part in _files(info) if info.get('paired') else [list_line(info, img_suffix)]:
        if part == '':
            return 'an empty name'
        if part != part.strip():
            return 'a blank at an end of the name'
        if any(sign in part for sign in (TAB, '\n', '\r')):
            return 'a tab or a line break in the name'
        try:
            part.encode()
        except UnicodeEncodeError:
            return 'a name that is not UTF-8'
    return ''


def _files(info: ImgInfo) -> list[str]:
    return [info['filename'], info.get('ann', {}).get('seg_map', '')]


def check_folders(dataset: Dataset) -> None:
    """Raise DataError where a folder or the split file of a CustomDataset does not exist."""
    for key in ('img_dir', 'ann_dir'):
        _check_folder(dataset, key)
    _check_split(dataset)


def check_list(dataset: Dataset) -> None:
    """Raise DataError where that from which `list_samples` reads does not exist."""
    if dataset.split is None:
        _check_folder(dataset, 'img_dir')
    else:
        _check_split(dataset)


def _check_folder(dataset: Dataset, key: str) -> None:
    path = getattr(dataset, key)
    if path and not is_remote(path) and not os.path.isdir(path):
        raise MissingDataError(f'{type(dataset).__name__}: {key} {path} is not a folder; correct '
                               f'{key} or data_root')


def _check_split(dataset: Dataset) -> None:
    path = dataset.split
    if path is not None and not is_remote(path) and not os.path.isfile(path):
        raise MissingDataError(f'{type(dataset).__name__}: the split file {path} does not exist; '
                               'correct split or data_root')


def check_samples(dataset: Dataset, look: bool = True) -> None:
    """Raise EmptyDatasetError where a CustomDataset has no samples.

    With `look`, raises DataError where the first files do not exist.
    """
    owner, img_dir, ann_dir = type(dataset).__name__, dataset.img_dir, dataset.ann_dir
    place = f'img_dir {img_dir}, img_suffix {dataset.img_suffix!r}, split {dataset.split}'
    if not dataset.img_infos:
        raise EmptyDatasetError(f'{owner}: 0 images ({place}); {_why_empty(dataset)}')
    first = dataset.img_infos[:SHOWN] if look else []
    images = [os.path.join(img_dir, info['filename']) for info in first if 'filename' in info]
    masks = [os.path.join(ann_dir, info['ann']['seg_map']) for info in first
             if ann_dir is not None and 'ann' in info]
    form = getattr(dataset, 'mask_form', None)
    if form is not None and form.class_files is not None:
        masks = [file for mask in masks for file in _existing(form.files(mask))]
    for kind, paths, setting in (('images', images, place), ('masks', masks, f'ann_dir {ann_dir}')):
        missing = [path for path in paths if not is_remote(path) and not os.path.isfile(path)]
        if missing:
            raise MissingDataError(
                f'{owner}: {kind} are missing: {missing[0]} does not exist ({setting}). The first '
                f'expected {kind} are {", ".join(paths)}; correct the folder, the suffix'
                + (' or the split, whose lines are names without suffix' if dataset.split else ''))


def _existing(files: Sequence[str]) -> Sequence[str]:
    """Those files of one mask that exist; all where none does."""
    return [file for file in files if is_remote(file) or os.path.isfile(file)] or files


def _why_empty(dataset: Dataset) -> str:
    expected = ', '.join(
        os.path.join(dataset.img_dir, f'NAME_{number}{dataset.img_suffix}')
        for number in range(1, SHOWN + 1))
    if dataset.split is not None:
        return f'the split file has no line; expected names of images such as {expected}'
    client = FileClient.infer_client(uri=dataset.img_dir)
    found = list(client.list_dir_or_file(dataset.img_dir))[:SHOWN]
    return (f'expected files such as {expected}, but the folder holds '
            + (', '.join(found) if found else 'nothing'))
