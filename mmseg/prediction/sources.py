"""What is to be predicted: files, folders, patterns, videos, or a list of them."""
import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcv_replace.utils import scandir
from mmcv_replace.utils.errors import DataError, MissingDataError, UserError
from mmseg.datasets.own.image_files import STRANGE, SUFFIXES

from .names import FoundFile, tell_apart
from .records import NAME, output_folders
from .video import VIDEOS, Frames, is_video

ARRAYS = ('.npy', '.npz')
STDIN = '-'
SHOWN = 3

Wanted = Callable[[FoundFile], bool]


@dataclass(frozen=True)
class Frame:
    """The place of a frame in its video."""

    number: int  # from 0
    time: float  # seconds
    video: Frames


@dataclass(frozen=True)
class Source:
    """An image to predict."""

    name: str  # as it is told: below the folder that was given, or the file name
    key: str  # of its outputs, without suffix; no other source of a run has it
    image: str | np.ndarray  # a file, or BGR [H, W, 3] of a frame
    frame: Frame | None = None


@dataclass(frozen=True)
class Sources:
    """The files to predict, and what there is to say about them."""

    files: Sequence[FoundFile]
    keys: Sequence[str]
    told: Sequence[str]
    missing: Sequence[tuple[str, UserError]]  # what was named and does not exist

    @property
    def has_videos(self) -> bool:
        """Whether one of the files is a video."""
        return any(map(is_video, (file.path for file in self.files)))

    def count(self, wanted: Wanted = lambda file: True) -> int:
        """The number of `wanted` images, with the frames that videos say to have."""
        return sum(count_frames(file.path) if is_video(file.path) else 1
                   for file in self.files if wanted(file))

    def read(self, on_error: Callable[[str, Exception], None],
             wanted: Wanted = lambda file: True) -> Iterator[Source]:
        """The images of `wanted` files one after the other; of videos the frames.

        `on_error(name, error)` is called for a video that cannot be read.
        """
        for file, key in zip(self.files, self.keys, strict=True):
            if not wanted(file):
                continue
            if not is_video(file.path):
                yield Source(file.name, key, file.path)
                continue
            try:
                video = Frames(file.path)
                for number, frame in enumerate(video.read()):
                    yield Source(file.name, f'{key}/{number:06d}', frame,
                                 Frame(number, number / video.rate, video))
            except DataError as error:
                on_error(file.name, error)


def count_frames(path: str) -> int:
    """The number of frames that a video says to have; 0 where it cannot be read."""
    try:
        return Frames(path).count
    except DataError:  # is told when it is read
        return 0


def find_sources(given: Iterable[str], stdin: Iterable[str] = (), leave_out: Sequence[Path] = (),
                 arrays: bool = True) -> Sources:
    """The files for words of a command line: files, folders with all below, patterns, '-'.

    '-' stands for the lines of `stdin`. Files in the folders `leave_out`, the outputs of an earlier
    run, are no inputs unless they are named themselves, nor are those of other runs below a folder.
    Files of `arrays` (.npy) in a folder count where the model takes them. Raises DataError where
    there is nothing to predict.
    """
    found: list[FoundFile] = []
    missing: list[tuple[str, UserError]] = []
    others: Counter[str] = Counter()
    leave_out = _real(leave_out)
    suffixes = tuple(suffix for suffix in (*SUFFIXES, *VIDEOS) if arrays or suffix not in ARRAYS)
    for word in _words(given, stdin):
        matches = [word]
        if not os.path.lexists(word):
            matches = [path for path in sorted(glob.glob(word, recursive=True))
                       if not _lies_in(path, leave_out)]
        if not matches:
            what = 'no file fits this pattern' if glob.has_magic(word) else 'it does not exist'
            missing.append((word, MissingDataError(f'{word}: {what}')))
        for path in matches:
            if not os.path.isdir(path):
                found.append(FoundFile(path, os.path.basename(path)))
                continue
            try:
                found += _in_folder(path, suffixes, leave_out, others)
            except OSError as error:
                missing.append((path, DataError(
                    f'cannot read the folder {error.filename}: {error.strerror}')))
    if not found:
        raise DataError(_nothing(given, missing, others))
    files, keys, told = tell_apart(found)
    if others:
        told.append(f'passed over, as they are no images: {_kinds(others)}')
    return Sources(files, keys, told, missing)


def _words(given: Iterable[str], stdin: Iterable[str]) -> Iterator[str]:
    for word in given:
        if word != STDIN:
            yield word
            continue
        for line in stdin:
            # Lists of `find -print0` have NULs in the place of ends of lines, and those of some
            # programs of Windows begin with a mark of their encoding.
            yield from filter(str.strip, line.removeprefix('\ufeff').rstrip('\r\n').split('\0'))


def _in_folder(folder: str, suffixes: tuple[str, ...], leave_out: Sequence[Path],
               others: Counter[str]) -> Iterator[FoundFile]:
    names = list(scandir(folder, recursive=True, broken_links=True))
    leave_out = [*leave_out, *_former_outputs(folder, names)]
    for name in names:
        path = os.path.join(folder, name)
        if (STRANGE in Path(name).parts or os.path.basename(name) == NAME
                or _lies_in(path, leave_out)):
            continue
        if name.lower().endswith(suffixes):
            yield FoundFile(path, name)
        else:
            others[Path(name).suffix] += 1


def _former_outputs(folder: str, names: Iterable[str]) -> list[Path]:
    """The folders of outputs of all runs that have written below a folder with files `names`."""
    return _real(place for name in names if os.path.basename(name) == NAME
                 for place in output_folders(os.path.dirname(os.path.join(folder, name))))


def _real(folders: Iterable[Path]) -> list[Path]:
    """The folders without links."""
    return [Path(os.path.realpath(folder)) for folder in folders]


def _lies_in(path: str, folders: Sequence[Path]) -> bool:
    """Whether a file is in one of the real folders, whatever it may be a link to."""
    place = Path(os.path.realpath(os.path.dirname(path)))
    return any(map(place.is_relative_to, folders))


def _nothing(given: Iterable[str], missing: Sequence[tuple[str, UserError]],
             others: Counter[str]) -> str:
    if missing:
        return '; '.join(str(error) for _, error in missing[:SHOWN])
    start = f'{", ".join(given)}: there is no image'
    if not others:
        return f'{start}; name files, folders or patterns that exist'
    return f'{start}, but files of {_kinds(others)}; images end with {", ".join(SUFFIXES)}'


def _kinds(others: Counter[str]) -> str:
    return ', '.join(f'{count:,} of {suffix or "no suffix"}'
                     for suffix, count in others.most_common(SHOWN))
