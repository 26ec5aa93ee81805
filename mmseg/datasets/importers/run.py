"""Write the samples of an export as images, masks and a list of classes."""
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils import track_parallel_progress, track_progress
from mmcv_replace.utils.errors import ConfigError, DataError, EmptyDatasetError, MissingDataError
from mmseg.core.utils import write_palette_png

from ..converters.staging import staged
from .coco import read_coco
from .cvat import read_cvat
from .export import Export, PlacedError, Problems, Sample
from .images import check_image, mask_name, put_image
from .labelme import read_labelme
from .labelstudio import read_labelstudio
from .legend import Legend, make_legend
from .options import Options
from .report import describe
from .yolo import read_yolo

READERS: dict[str, Callable[[Path, Options, Problems], Export]] = {
    'coco': read_coco, 'labelme': read_labelme, 'cvat': read_cvat,
    'labelstudio': read_labelstudio, 'yolo': read_yolo,
}


@dataclass(frozen=True)
class Written:
    """Pixels by their value in a mask, or the problem that kept it from being written.

    `empty`: no object covers a pixel.
    """

    counts: dict[int, int] = field(default_factory=dict)
    empty: bool = False
    contested: int = 0
    vanished: int = 0
    problem: str | None = None


def import_dataset(tool: str, source: str | Path, out: str | Path, options: Options) -> str:
    """Write `out/images`, `out/masks` and `out/classes.txt`; returns a report for the user.

    `tool` is one of READERS, `source` the file or folder that it exported. Images are linked, or
    copied to another disk, and never changed; masks are PNGs of class indices, in which 255 has no
    class. Nothing of `out` exists after an error. Raises ConfigError for options that do not fit
    the export, and DataError for a damaged export, with all its bad images unless
    `options.skip_bad`.
    """
    source, out = Path(source), Path(out)
    check_places(source, out)
    problems = Problems()
    export = READERS[tool](source, options, problems)
    if not export.samples:
        check_left(export.samples, export, source, problems, options)
    used = {label for sample in export.samples for label in sample.labels}
    legend = make_legend(export.names, used, options, options.unlabelled or export.unlabelled)
    check_names(export.samples)
    with staged(out) as folder:
        written = _write_all(export.samples, legend, folder, options)
        problems.found += [entry.problem for entry in written if entry.problem is not None]
        done = [(sample, entry) for sample, entry in zip(export.samples, written, strict=True)
                if entry.problem is None and not (entry.empty and options.skip_empty)]
        check_left(done, export, source, problems, options)
        with atomic_write(folder / 'classes.txt', 'w') as file:
            file.write(''.join(f'{name}\n' for name in legend.classes))
    without_object = sum(entry.empty for entry in written) if options.skip_empty else 0
    return describe(export, legend, done, problems, without_object, out)


def check_places(source: Path, out: Path) -> None:
    """Raise an error where there is nothing to read, or where files would be written over."""
    if not os.path.exists(source):
        raise MissingDataError(f'{source} does not exist: name the file or folder that the tool '
                               'exported')
    if source.suffix.lower() == '.zip':
        raise DataError(f'{source} is an archive: unpack it, and name what was in it')
    try:
        taken = any(out.iterdir()) if os.path.isdir(out) else os.path.lexists(out)
    except OSError as error:
        raise DataError(f'cannot read the folder {out}: {error.strerror or error}; choose another '
                        'one by -o') from error
    if taken:
        raise ConfigError(f'{out} exists already: choose another folder by -o, or delete it')


def check_left(samples: Sequence, export: Export, source: Path, problems: Problems,
               options: Options) -> None:
    """Raise DataError where there are problems that may not be left out, or nothing but them."""
    problems.check(options.skip_bad)
    if not samples:
        reasons = [f'{what}: {number}' for what, number in sorted(export.notes.items())]
        reasons += [problems.describe()] if problems.found else []
        raise EmptyDatasetError('; '.join([f'{source}: no image is left to import', *reasons]))


def check_names(samples: Sequence[Sample]) -> None:
    """Raise DataError where two images would get masks of the same name."""
    owners: dict[str, Sample] = {}
    for sample in samples:
        # Names that differ in case alone are one file on many disks.
        other = owners.setdefault(mask_name(sample.name).lower(), sample)
        if other is not sample:
            raise DataError(f'{other.place} ({other.image}) and {sample.place} ({sample.image}) '
                            f'would both get the mask {mask_name(sample.name)}: rename one of the '
                            'images, or import them into different folders')


def _write_all(samples: Sequence[Sample], legend: Legend, folder: Path,
               options: Options) -> list[Written]:
    write = partial(write_sample, legend=legend, folder=folder, skip_empty=options.skip_empty)
    if options.nproc <= 1:
        return track_progress(write, samples)
    return track_parallel_progress(write, samples, options.nproc, chunksize=8)


def write_sample(sample: Sample, legend: Legend, folder: Path, skip_empty: bool) -> Written:
    """Write image and mask of a sample, unless there is a problem with them."""
    try:
        content = _read(sample)
        size = check_image(content, sample.image, sample.size)
        painting = sample.paint(size, legend)
    except PlacedError as error:
        return Written(problem=str(error))
    except DataError as error:
        # Of an image whose file is its annotation, too, the place is there already.
        text = str(error)
        return Written(problem=text if text.startswith(sample.place) else f'{sample.place}: {text}')
    empty = bool((painting.label_map == legend.unlabelled).all())
    if empty and skip_empty:
        return Written(empty=True)
    # A disk that is full is no problem of the sample: what fails from here on ends the import.
    put_image(sample.image if sample.content is None else content, folder / 'images' / sample.name)
    write_palette_png(folder / 'masks' / mask_name(sample.name), painting.label_map)
    counts = enumerate(np.bincount(painting.label_map.ravel()).tolist())
    return Written({value: count for value, count in counts if count}, empty,
                   painting.contested, painting.vanished)


def _read(sample: Sample) -> bytes:
    if sample.content is not None:
        return sample.content()
    try:
        return sample.image.read_bytes()
    except OSError as error:
        raise DataError(f'cannot read {sample.image}: {error.strerror or error}') from error
