"""The first steps of a pipeline with a `DiskCache`: they run for files that are new or changed."""
import copy
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np

from mmcv_replace.fileio import ArrayFile, DamagedFileError, FileClient
from mmcv_replace.fileio.backends.base import RemoteBackend
from mmcv_replace.fileio.plain_values import NUMBERS, decode, encode
from mmcv_replace.utils.errors import DataError, MissingDataError

from ..pipelines.base import Results, Step, Transform, match
from ..pipelines.crop import RandomCrop
from ..pipelines.loading import ABSENT, FileLoader, Source
from ..pipelines.resize import Resize
from ..pipelines.resized_crop import ResizedCrop
from .cache import SMALL
from .recipe import digest, recipe_of
from .stored_array import StoredArray

if TYPE_CHECKING:
    from .disk_cache import DiskCache

KEY_DIGITS = 40
# What a data set tells of one sample; the rest is the same for all.
OF_SAMPLE = ('img_info', 'ann_info')
NOTHING = ''  # the hash of a file that did not exist, such as that of a class which is not there


class StoredSteps(Transform):
    """Steps that read files, whose results lie in a cache until one of these files changes.

    A file is looked at each time: where size or time of change is another one, its content is
    hashed, so that a file that was only touched or copied is not decoded again. Files of a remote
    backend are asked about once in each process. Arrays of the result may be written to.
    """

    fusible = True

    def __init__(self, steps: Sequence[Step], cache: 'DiskCache') -> None:
        self.steps = list(steps)
        self.cache = cache
        self._recipe = recipe_of(self.steps)
        self._common: tuple[str, Results, str] | None = None
        # Stamps of remote files by path; those of touched files by path and hash of the content.
        self._asked: dict[str, str] = {}
        self._equal: dict[tuple[str, str], str] = {}

    def __call__(self, results: Results) -> Results:
        return self.load(results)

    def fuse_with(self, following: Sequence[Step]) -> tuple[Step, int] | None:
        if match(following, Resize, RandomCrop):
            return StoredCrop(self, ResizedCrop(following[0], following[1])), 2
        return None

    def load(self, results: Results, by_rows: bool = False) -> Results:
        """The results of the steps; with `by_rows` the image and its label maps may be
        `StoredArray`s, which the caller closes.
        """
        results['seg_fields'] = list(results.get('seg_fields', ()))
        key = self.key(results)
        file = None if key is None else self._find(key)
        if file is None:
            return self._make(results, key)
        try:
            return self._read(file, results, key, by_rows)
        except (OSError, DamagedFileError) as error:
            file.close()
            self.cache.report_damage(error)
            return self._make(results, key)

    def key(self, results: Results) -> str | None:
        """Names the file of a sample, by all that decides its content but for the sources'."""
        sample = {name: results[name] for name in OF_SAMPLE if name in results}
        others = {name: value for name, value in results.items() if name not in OF_SAMPLE}
        try:
            common = self._digest_common(others)
            text = json.dumps(encode(sample), sort_keys=True)
        except TypeError as error:
            self.cache.tell('unfit', f'samples are not kept, for the data set describes them by '
                                     f'what cannot be written ({error})')
            return None
        return digest(f'{common} {text}'.encode())[:KEY_DIGITS]

    def _digest_common(self, others: Results) -> str:
        """A hash of the steps and of what a data set tells them of all its samples."""
        folders = [others.get(name) or '' for name in ('img_prefix', 'seg_prefix')]
        relative = not all(os.path.isabs(folder) or '://' in folder for folder in folders)
        place = os.getcwd() if relative else ''
        if self._common is None or self._common[0] != place or not _equal(self._common[1], others):
            text = json.dumps([self._recipe, place, encode(others)], sort_keys=True)
            self._common = place, copy.deepcopy(others), digest(text.encode())
        return self._common[2]

    def _find(self, key: str) -> ArrayFile | None:
        """The open file of a sample whose sources have not changed."""
        file = self.cache.open(key)
        if file is None:
            return None
        try:
            current = self._is_current(file)
        except DataError:  # of which the steps tell
            current = False
        if not current:
            file.close()
        return file if current else None

    def _is_current(self, file: ArrayFile) -> bool:
        touched = False
        for source in file.head['sources']:
            client = self.steps[source['step']].client
            path, known = source['path'], (source['path'], source['hash'])
            if not isinstance(client.client, RemoteBackend):
                stamp = _stamp(client, path)
            elif (stamp := self._asked.get(path)) is None:
                stamp = self._asked[path] = _stamp(client, path)
            if stamp in (source['stamp'], self._equal.get(known)):
                continue
            if digest(client.get(path)) != source['hash']:
                return False
            source['stamp'] = self._equal[known] = stamp
            touched = True
        if touched:
            with suppress(OSError):  # of a cache that others have written
                file.replace_head(file.head)
        return True

    def _read(self, file: ArrayFile, results: Results, key: str, by_rows: bool) -> Results:
        made = decode(file.head['values'])
        rows = {'img', *made['seg_fields']} if by_rows else set()
        before = dict(results)

        def make_again(error: Exception) -> Results:
            self.cache.report_damage(error)
            return self._make(dict(before), key)

        stored = [name for name in file.kinds if name in rows]
        for name in file.kinds:
            made[name] = (StoredArray(file, name, make_again) if name in rows
                          else file.read(name))
        if not stored:
            file.close()
        return {**results, **made}

    def _make(self, results: Results, key: str | None) -> Results:
        """Run the steps, and keep what they make."""
        before = dict(results)
        with _noting(self.steps) as sources:
            for step in self.steps:
                results = step(results)
        if key is not None:
            self._keep(key, before, results, sources)
        return results

    def _keep(self, key: str, before: Results, results: Results,
              sources: list[list[Source]]) -> None:
        silent = next((type(step).__name__ for step, read in zip(self.steps, sources, strict=True)
                       if not read), None)
        if silent is not None:
            self.cache.tell('unfit', f'samples are not kept, for {silent} reads its files by other '
                                     'means than FileLoader.read, and changes of them would not be '
                                     'noticed')
            return
        made = {name: value for name, value in results.items() if value is not before.get(name)}
        arrays = {name: value for name, value in made.items() if is_stored(value)}
        small = {name: value for name, value in made.items() if name not in arrays}
        try:
            values = encode({**small, 'seg_fields': results['seg_fields']})
        except TypeError as error:
            self.cache.tell('unfit', 'samples are not kept, for the loading steps make what cannot '
                                     f'be written ({error})')
            return
        listed = [dict(step=number, path=path, stamp=stamp,
                       hash=NOTHING if stamp == ABSENT else digest(content))
                  for number, read in enumerate(sources) for path, stamp, content in read]
        self.cache.keep(key, dict(sources=listed, values=values), arrays)


class StoredCrop(Transform):
    """`StoredSteps` and the `Resize` and `RandomCrop` after them, which read the rows they need."""

    def __init__(self, load: StoredSteps, crop: ResizedCrop) -> None:
        self.load = load
        self.crop = crop

    def __call__(self, results: Results) -> Results:
        results = self.load.load(results, by_rows=True)
        stored = {name: value for name, value in results.items() if isinstance(value, StoredArray)}
        try:
            if not self.crop.fits(results):
                results.update({name: np.asarray(value) for name, value in stored.items()})
            return self.crop(results)
        finally:
            for array in stored.values():
                array.close()


def _stamp(client: FileClient, path: str) -> str:
    try:
        return client.stamp(path)
    except MissingDataError:
        return ABSENT


def _equal(one: Results, other: Results) -> bool:
    try:
        return one == other
    except ValueError:  # arrays
        return False


def is_stored(value: object) -> bool:
    """Whether a value is an image or the like, of which rows are read; others are in the head."""
    return (isinstance(value, np.ndarray) and value.dtype.kind in NUMBERS and value.ndim > 1
            and value.nbytes >= SMALL)


@contextmanager
def _noting(steps: Sequence[FileLoader]) -> Iterator[list[list[Source]]]:
    """What each of the steps reads inside."""
    for step in steps:
        step.sources = []
    try:
        yield [step.sources for step in steps]
    finally:
        for step in steps:
            step.sources = None
