"""The folder of a prediction: where the files of an image are, and what is there already."""
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace.utils import path_inside
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import Prediction

from .classes import (
    class_names,
    count_classes,
    ignored_value,
    mask_palette,
    shares_by_name,
)
from .names import FoundFile
from .options import PredictOptions
from .provenance import keep_description
from .records import (
    MASKS,
    NAME,
    OVERLAYS,
    SCORES,
    RecordFile,
    output_folders,
    read_records,
)
from .sources import Source, Sources, count_frames
from .video import SURE, is_video

JPEG = ('.jpg', '.jpeg', '.jpe')


@dataclass(frozen=True)
class Places:
    """Files for what is written of an image; None for what is not."""

    mask: Path | None = None
    overlay: Path | None = None
    scores: Path | None = None
    video: Path | None = None  # of the frame


class Outputs:
    """Gives each source its files, and lists what was predicted in predictions.jsonl.

    `names`, `palette` [C, 3] RGB and `classes`, their number, are the model's. `described`: what
    decides the predictions, which is kept beside them. The attribute `names` holds a name of its
    own for each class, `ignore` the value of uncertain pixels, None without a threshold. Raises
    ConfigError for a folder with files of somebody else.
    """

    def __init__(self, options: PredictOptions, sources: Sources, names: Sequence[str] | None,
                 palette: np.ndarray, classes: int,
                 described: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.names = class_names(names, classes)
        self.palette = palette
        self.ignore = None if options.threshold is None else ignored_value(classes)
        self.mask_palette = palette if self.ignore is None else mask_palette(palette, self.ignore)
        self.folder = Path(options.out)
        check_folder(self.folder)
        self._sources: dict[int, Source] = {}  # those that are under way, by their number
        self._made: set[Path] = set()  # folders that exist, in which files may lie
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._records = RecordFile(self.folder)
        except OSError as error:
            raise self._unwritable(error) from error
        former: dict[str, list[dict[str, Any]]] = {}
        for record in read_records(self.folder) if options.skip_existing else ():
            former.setdefault(record['name'], []).append(record)
        # Names of files that an earlier run has completed.
        self.skipped = {file.name for file, key in zip(sources.files, sources.keys, strict=True)
                        if file.name in former and self._complete(file, key, former[file.name])}
        anew = {file.name for file in sources.files} - self.skipped
        self._records.keep(record for name, records in former.items() if name not in anew
                           for record in records)
        if described is not None:
            try:
                keep_description(self.folder, described)
            except OSError as error:
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(f'cannot write to --out {self.folder}: {error.strerror}; choose another '
                           'folder, or correct the permissions')

    def _complete(self, file: FoundFile, key: str, records: Sequence[dict[str, Any]]) -> bool:
        """Whether all that is asked for of a file is there, as the records say."""
        if is_video(file.path):
            # A painted video takes its name at its end; of one without nothing tells the end.
            # That of a damaged file holds the frames before the damage.
            return (self.options.overlays and self._video(key).is_file()
                    and len(records) >= SURE * count_frames(file.path))
        wanted = [place for place in vars(self._places(file.name, key)).values() if place]
        told = [self.folder / records[-1][kind] for kind in ('mask', 'overlay', 'scores')
                if kind in records[-1]]
        return len(told) == len(wanted) and all(place.is_file() for place in told)

    def wanted(self, file: FoundFile) -> bool:
        """Whether a file is to be predicted: it was not by an earlier run."""
        return file.name not in self.skipped

    def expect(self, index: int, source: Source) -> None:
        """Note the source of the prediction with this number."""
        self._sources[index] = source

    def source(self, index: int) -> Source:
        """The source with this number, which is under way."""
        return self._sources[index]

    def forget(self, index: int) -> Source:
        """The source with this number, whose prediction is done or has failed."""
        return self._sources.pop(index)

    def place(self, source: Source) -> Places:
        """The files for a source, in folders that exist.

        Raises DataError for a name that leads out of the folder.
        """
        places = self._places(source.name, source.key, source.frame is not None)
        for path in vars(places).values():
            if path is not None and path.parent not in self._made:
                path_inside(self.folder, path.parent.relative_to(self.folder))
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
        return places

    def _places(self, name: str, key: str, is_frame: bool = False) -> Places:
        options = self.options
        suffix = os.path.splitext(name)[1].lower()
        picture = suffix if suffix in JPEG else '.png'
        return Places(
            mask=self.folder / MASKS / f'{key}.png'
            if options.masks and (options.frame_masks or not is_frame) else None,
            overlay=self.folder / OVERLAYS / f'{key}{picture}'
            if options.overlays and not is_frame else None,
            scores=self.folder / SCORES / f'{key}.npz' if options.scores else None,
            video=self._video(os.path.dirname(key)) if options.overlays and is_frame else None)

    def _video(self, key: str) -> Path:
        return self.folder / OVERLAYS / f'{key}.{self.options.video_format}'

    def record(self, source: Source, size: Sequence[int], counts: np.ndarray, places: Places,
               uncertain: int = 0) -> None:
        """List a prediction, all files of which are complete.

        size: height and width. counts: [C], pixels of each class. `uncertain`: pixels whose class
        the threshold has taken away.
        """
        pixels = size[0] * size[1]
        line: dict[str, Any] = dict(name=source.name)
        if source.frame is not None:
            line.update(frame=source.frame.number, time=round(source.frame.time, 3))
        line.update(height=size[0], width=size[1],
                    shares=shares_by_name(counts, self.names, pixels))
        if self.options.threshold is not None:
            line.update(uncertain=round(uncertain / pixels, 6))
        line.update({kind: path.relative_to(self.folder).as_posix()
                     for kind, path in vars(places).items() if path is not None})
        self._records.add(line)

    def record_prediction(self, prediction: Prediction) -> None:
        """List a prediction of the stream, whose files are complete."""
        source = self.forget(prediction.index)
        counts, uncertain = count_classes(prediction.seg_map, self.ignore)
        self.record(source, prediction.seg_map.shape, counts, self.place(source), uncertain)

    def close(self) -> None:
        """Close the list."""
        self._records.close()


def check_folder(folder: Path) -> None:
    """Raise ConfigError for a folder whose files are not of an earlier prediction."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f'--out {folder} is a file: name a folder')
    if (folder / NAME).is_file():
        return
    for path in output_folders(folder):
        if path.is_dir() and any(path.iterdir()):
            raise ConfigError(f'{path} has files that no prediction has written, as there is no '
                              f'{folder / NAME}, and they might be replaced: choose another --out')
