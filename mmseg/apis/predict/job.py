"""`tools/predict.py`: predict images and videos that belong to no data set, and write the results.

Threads read images ahead and write what was predicted, while the model computes.
"""
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from mmcv_replace.device import is_asynchronous
from mmcv_replace.host import usable_cores
from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.image.io import STORED
from mmcv_replace.interrupts import cleaning_up_when_terminated
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.utils import Config
from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import UserError, add_note
from mmseg.core.evaluation import Prediction, ShowProgress, Sink, run_sinks
from mmseg.prediction.classes import class_count, ignore_uncertain, palette_of
from mmseg.prediction.config_options import apply_options
from mmseg.prediction.large import predict_large, wants_windows
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.outputs import Outputs, check_folder
from mmseg.prediction.paint import PaintOutputs
from mmseg.prediction.pipeline import LoadImage, build_inference_pipeline
from mmseg.prediction.provenance import check_same, describe_run
from mmseg.prediction.records import output_folders
from mmseg.prediction.shrinkage import ShrinkageNote
from mmseg.prediction.sinks import InThreads, Tell, WriteMasks, WriteScores, unwritable
from mmseg.prediction.sources import Source, Sources, find_sources
from mmseg.prediction.stream import ImageReader, LargeImage, out_of_memory
from mmseg.utils import get_root_logger

from ..inference import predict_read
from .predictor import by_windows, load_predictor

MOST_THREADS = 8  # that read, or that write, beside an accelerator
SHOWN = 20  # images that failed, in the summary
SHOWN_NAME = 20  # characters of the name of a large image, beside its bar


@dataclass
class Failures:
    """Images that gave no prediction, and why."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, error: Exception) -> None:
        """Note and tell a failure; of a video the first one counts."""
        if name not in self.found:
            self.found[name] = str(error)
            get_root_logger().error('%s', error if name in str(error) else f'{name}: {error}')

    def summary(self) -> str:
        """A line for each of the first failures."""
        names = [f'  {name}' for name in list(self.found)[:SHOWN]]
        more = len(self.found) - SHOWN
        return '\n'.join([f'{len(self.found):,} without a prediction:', *names,
                          *([f'  and {more:,} more'] if more > 0 else [])])


def predict_from_config(cfg: Config, checkpoint: str, images: Sequence[str],
                        options: PredictOptions, device: str = 'auto', averaged: bool = False,
                        stdin: Iterable[str] = ()) -> int:
    """Predict images with the model of a config and a checkpoint; returns how many have failed.

    images: files, folders, patterns, videos, or '-' for the lines of `stdin`. `averaged` loads the
    averaged weights of a run with an EMAHook. Raises a UserError where nothing can be predicted.
    """
    logger = get_root_logger(log_level=cfg.get('log_level', 'INFO'))
    described = describe_run(cfg, checkpoint, averaged, options)
    apply_options(cfg, options)
    check_folder(Path(options.out))
    if options.skip_existing:
        check_same(Path(options.out), described)
    sources = find_images(cfg, images, options.out, stdin)
    for line in sources.told:
        logger.info('%s', line)
    if sources.has_videos and options.overlays:
        logger.info('painted videos have no sound')
    model = load_predictor(cfg, checkpoint, device, averaged)
    failures = predict_sources(model, sources, options, described)
    if failures.found:
        logger.error('%s', failures.summary())
    return len(failures.found)


def find_images(cfg: Config, images: Sequence[str], out: str, stdin: Iterable[str] = ()
                ) -> Sources:
    """What is to be predicted by the model of a config; what is in the folder `out` is not."""
    flag = getattr(_loader(cfg), 'color_type', None)
    return find_sources(images, stdin, output_folders(out), arrays=flag in (None, *STORED))


def predict_sources(model: nn.Module, sources: Sources, options: PredictOptions,
                    described: Mapping[str, Any] | None = None) -> Failures:
    """Predict everything with a model of `load_predictor`; returns what could not be predicted.

    `described`: what decides the predictions, to be kept beside them.
    """
    inner = model.module
    outputs = Outputs(options, sources, getattr(inner, 'CLASSES', None), palette_of(inner),
                      class_count(inner), described)
    job = Job(model, outputs, sources)
    for name, error in sources.missing:
        job.failures.add(name, error)
    begin = time.perf_counter()
    try:
        with cleaning_up_when_terminated():
            job.run()
    finally:
        outputs.close()
    seconds = time.perf_counter() - begin
    logger = get_root_logger()
    if outputs.skipped:
        logger.info('files that were predicted before: %d', len(outputs.skipped))
    logger.info('images: %d in %.1f s, %.2f images a second: %s', job.done, seconds,
                job.done / seconds, outputs.folder.absolute())
    return job.failures


def _loader(cfg: Config) -> object:
    """The loading step of the pipeline for images."""
    steps = build_inference_pipeline(cfg).transforms
    return next(step for step in steps if isinstance(step, LoadImage)).loader


class Job:
    """One pass over the images."""

    def __init__(self, model: nn.Module, outputs: Outputs, sources: Sources) -> None:
        self.done = 0
        self.failures = Failures()
        self._model, self._outputs, self._sources = model, outputs, sources
        cfg = model.module.cfg
        self._large: list[Source] = []  # to be predicted in parts, after the others
        self._reader = ImageReader(partial(build_inference_pipeline, cfg), self._is_large)
        self._shrinkage = ShrinkageNote(outputs.options, by_windows(model.module))
        self._red_first = getattr(_loader(cfg), 'color_type', None) == BANDS

    def run(self) -> None:
        """Predict and write everything."""
        options, outputs = self._outputs.options, self._outputs
        threads = self._threads()
        batch = options.batch or _tested_together(self._model.module.cfg)
        stream = predict_read(self._model, self._reader, self._images(), options.needed_scores,
                              batch, threads, self._failed)
        if options.threshold is not None:
            stream = ignore_uncertain(stream, options.threshold, outputs.ignore)
        # The frames of a video are painted in their order, by one thread.
        writers = 1 if self._sources.has_videos else threads
        total = self._sources.count(outputs.wanted)
        self._progress = ShowProgress(total, 'image')
        then = [*map(Tell, (self._look, outputs.record_prediction, self._count)), self._progress]
        run_sinks(stream, [InThreads(self._sinks(), then, writers, ahead=2 * writers)])
        for number, source in enumerate(self._large, start=1):
            self._predict_large(source, f'large image {number} of {len(self._large)}')

    def _is_large(self, image: str | np.ndarray) -> bool:
        return isinstance(image, str) and wants_windows(
            image, self._model.module.cfg, self._outputs.options, self._model)

    def _predict_large(self, source: Source, title: str) -> None:
        try:
            predict_large(self._model, self._model.module.cfg, source, self._outputs,
                          f'{os.path.basename(source.name)[-SHOWN_NAME:]}, {title}',
                          self._shrinkage)
            self.done += 1
        except UserError as error:
            self.failures.add(source.name, error)
        except OSError as error:
            raise unwritable(source.name, error) from error
        except Exception as error:
            if not is_out_of_memory(error):
                add_note(error, f'while predicting {source.name}')
                raise
            self.failures.add(source.name, out_of_memory(
                source.name, error, '--slide with a smaller --crop takes less'))

    def _threads(self) -> int:
        """Threads that read: one beside the host's own computing, else as cores allow."""
        if not is_asynchronous(device_of(self._model)):
            return 1
        return min(MOST_THREADS, max(1, usable_cores() // 2))

    def _images(self) -> Iterator[tuple[int, str | np.ndarray]]:
        found = self._sources.read(self.failures.add, self._outputs.wanted)
        for index, source in enumerate(found):
            self._outputs.expect(index, source)
            image = source.image
            if source.frame is not None and self._red_first:
                image = np.ascontiguousarray(image[..., ::-1])
            yield index, image

    def _failed(self, index: int, error: Exception) -> None:
        source = self._outputs.forget(index)
        self._progress.leave_out()
        if isinstance(error, LargeImage):
            self._large.append(source)
            return
        self.failures.add(source.name, error)
        if source.frame is not None:  # what fails in one frame fails in all
            source.frame.video.stop()

    def _count(self, _: object) -> None:
        self.done += 1

    def _look(self, prediction: Prediction) -> None:
        meta = prediction.meta
        if 'img_shape' in meta:  # which a step of users may leave out
            self._shrinkage.look(self._outputs.source(prediction.index).name,
                                 prediction.seg_map.shape, meta['img_shape'])

    def _sinks(self) -> list[Sink]:
        outputs, options = self._outputs, self._outputs.options

        def place(kind: str, prediction: Prediction) -> Path | None:
            return getattr(outputs.place(outputs.source(prediction.index)), kind)

        sinks: list[Sink] = []
        if options.masks:
            sinks.append(WriteMasks(partial(place, 'mask'), outputs.mask_palette))
        if options.overlays:
            sinks.append(PaintOutputs(self._model, outputs))
        if options.scores:
            sinks.append(WriteScores(partial(place, 'scores'), options.scores, outputs.names))
        return sinks


def _tested_together(cfg: Config) -> int:
    """The number of images that `tools/test.py` predicts together."""
    data = cfg.get('data') or {}
    return (data.get('test_dataloader') or {}).get('samples_per_gpu') or 1
