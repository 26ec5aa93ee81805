"""`tools/confusion_matrix.py`: a confusion matrix from records, predictions or a checkpoint."""
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.path import matching_files
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.core.evaluation import ConfusionMatrix
from mmseg.core.evaluation.overrides import labels_of
from mmseg.core.evaluation.records import read_evaluations, read_record
from mmseg.report.seg_map_file import read_seg_maps
from mmseg.visualization import draw_confusion, encode_picture, show_window, side_by_side

from .cli import load_config
from .datasets import build_split
from .process import start_process
from .settings import check_settings
from .test_job import OutputOptions, evaluate_from_config

FILE = 'confusion_matrix.png'
HOW = ('trainings keep it in WORK_DIR/evaluations, and tools/test.py --eval mIoU --work-dir DIR in '
       'DIR; a dataset with its own evaluate or pre_eval has none')
PICKLES = ('.pkl', '.pickle')
OWN_COLOURS = 'blue'
# Colour maps of OpenCV, which has many of matplotlib's under the same names.
THEMES = {name.removeprefix('COLORMAP_').lower(): getattr(cv2, name)
          for name in dir(cv2) if name.startswith('COLORMAP_')}


@dataclass(frozen=True)
class Source:
    """Where the counts come from.

    `place`: a work directory, the record of an evaluation (.npz), or a config; then `predictions`
    is the .pkl of tools/test.py, or a checkpoint with which data.test is predicted on `device`.
    """

    place: str
    predictions: str | None = None
    cfg_options: Mapping[str, Any] | None = None
    device: str = 'auto'


def write_confusion(source: Source, folder: str, title: str, theme: str = OWN_COLOURS,
                    show: bool = False) -> Path:
    """Draw a confusion matrix to confusion_matrix.png in a folder, and return its path.

    Raises ConfigError for an unknown `theme` and where `show` has no window, DataError for a source
    without counts.
    """
    scale = _colours(theme)
    matrix, names = _counts(source)
    options = {} if scale is None else {'scale': scale}
    picture = draw_confusion(matrix, names if len(names) == len(matrix) else None, **options)
    picture = side_by_side([(title, picture)])
    path = Path(folder, FILE)
    try:
        with atomic_write(path) as file:
            file.write(encode_picture(picture, 'png'))
    except OSError as error:
        raise ConfigError(f'{path} cannot be written: {error.strerror or error}; name another '
                          'folder') from error
    if show:
        show_window(picture, title, 0, f'leave out --show and look at {path}')
    return path


def _counts(source: Source) -> tuple[np.ndarray, Sequence[str]]:
    """Counts [C, C], row = true class, and the names of the classes."""
    place, predictions = Path(source.place), source.predictions
    if predictions is None:
        if place.suffix == '.npz':
            record = read_record(place)
        elif os.path.isdir(place):  # which, as a method, would fail in a folder that is closed
            record = _last_record(place)
        else:
            raise ConfigError(f'{place} is neither a work directory nor the record of an '
                              'evaluation (WORK_DIR/evaluations/iter_N.npz); with a config give '
                              'predictions too: CONFIG FILE.pkl DIR, or CONFIG CHECKPOINT DIR')
        if record.confusion is None:
            raise DataError(f'{record.path} has scores alone: {HOW}')
        return record.confusion, record.classes
    cfg = load_config(source.place, source.cfg_options)
    count: Callable[..., tuple[np.ndarray, Sequence[str]]] = (
        _of_pickle if Path(predictions).suffix in PICKLES else _of_checkpoint)
    return count(cfg, source)


def _last_record(folder: Path) -> Any:
    """The last evaluation with counts in a work directory, of its training or of a test."""
    records = [record for record in read_evaluations(folder) if record.confusion is not None]
    records += map(read_record, matching_files(folder, 'eval_*.npz'))
    if not records:
        raise DataError(f'{folder} has no record of an evaluation with a confusion matrix: {HOW}')
    return max(records, key=lambda record: record.time)


def _of_pickle(cfg: Config, source: Source) -> tuple[np.ndarray, Sequence[str]]:
    check_settings(cfg)
    dataset = build_split(cfg, 'test')
    if not dataset.CLASSES:
        raise ConfigError(f'data.test ({type(dataset).__name__}) does not say how many classes '
                          'there are: give it `classes`, or the CHECKPOINT in place of '
                          f'{source.predictions}')
    seg_maps = read_seg_maps(source.predictions)
    if len(seg_maps) != len(dataset):
        raise DataError(f'{source.predictions} has {len(seg_maps)} label maps for the '
                        f'{len(dataset)} samples of data.test: predict with the same config and '
                        'options')
    counts, labels = ConfusionMatrix(len(dataset.CLASSES), dataset.ignore_index), labels_of(dataset)
    for index, seg_map in enumerate(seg_maps):
        counts.update(seg_map, labels(index), f'sample {index}', index)
    return counts.matrix, dataset.CLASSES


def _of_checkpoint(cfg: Config, source: Source) -> tuple[np.ndarray, Sequence[str]]:
    process = start_process(cfg, source.device)
    with tempfile.TemporaryDirectory() as folder:
        evaluate_from_config(cfg, source.predictions, process,
                             OutputOptions(metrics=['mIoU'], work_dir=folder))
        records = list(Path(folder).glob('eval_*.npz'))
        if not records:
            raise DataError('the data set of data.test scores in its own way (evaluate or '
                            'pre_eval), which gives no confusion matrix')
        record = read_record(records[0])
        return record.confusion, record.classes


def _colours(theme: str) -> np.ndarray | None:
    """RGB colours [256, 3] of a theme; None for those of `draw_confusion`."""
    if theme == OWN_COLOURS:
        return None
    if theme not in THEMES:
        raise ConfigError(f'--color-theme {theme!r} is unknown{did_you_mean(theme, THEMES)}; '
                          f'themes are {", ".join([OWN_COLOURS, *sorted(THEMES)])}')
    steps = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(steps, THEMES[theme])[:, 0, ::-1].astype(float)
