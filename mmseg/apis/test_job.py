"""A test job: predict the test set of a config once, and score, draw, format or collect it."""
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace import fileio
from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import (
    CollectSegMaps,
    Score,
    ValidationLoss,
    WriteOverlays,
    WriteSubmission,
    check_groups,
    check_metrics,
    collect_results,
    is_own_anywhere,
    run_test,
    takes,
)
from mmseg.core.evaluation.class_names import classes_of_model, names_of
from mmseg.core.evaluation.evidence import Evaluation
from mmseg.core.evaluation.records import write_record
from mmseg.datasets.pipelines.channel_check import check_channels_agree
from mmseg.datasets.scores.submission import split_options
from mmseg.prediction.pipeline import enable_aug_test
from mmseg.utils import get_root_logger

from .cli import work_dir_of
from .datasets import build_split
from .dist_errors import naming_lost_peers
from .inference import load_weights
from .labels.contract import check_labels_agree
from .labels.trained_classes import classes_in, order_for_test
from .loaders import evaluation_loader
from .model import build_model
from .own.data import follow_own_data
from .predict.predictor import prepare_predictor
from .process import Process
from .settings import check_settings


@dataclass(frozen=True)
class OutputOptions:
    """What to do with the predictions; at least one of the first five is needed."""

    metrics: Sequence[str] = ()  # names for `evaluate` of the data set
    out: str | None = None  # pickle file for the list of segmentation maps
    # Files for a test server, in eval_options['out_dir'], by default a folder in the work dir.
    format_only: bool = False
    show: bool = False  # show overlays on the screen
    show_dir: str | None = None  # write overlays to this folder
    opacity: float = 0.5  # of the classes' colours in overlays, in (0, 1]
    show_legend: bool = False  # names and colours of the classes beside each overlay
    show_bands: Sequence[int] | None = None  # those shown as red, green, blue, or one in grey
    aug_test: bool = False  # scales 0.5 to 1.75, each with its mirror image
    eval_options: Mapping[str, object] = field(default_factory=dict)  # for the data set's method
    tmpdir: str | None = None  # see `collect_results`
    gpu_collect: bool = False
    work_dir: str | None = None  # folder for eval_TIMESTAMP.json, .npz with the confusion matrix

    def __post_init__(self) -> None:
        if not (self.metrics or self.out or self.format_only or self.show or self.show_dir):
            raise ConfigError('say what to do with the predictions: --eval mIoU, --out FILE.pkl, '
                              '--format-only, --show or --show-dir DIR')
        if self.show_legend and not (self.show or self.show_dir):
            raise ConfigError('--show-legend is a part of painted pictures: give --show-dir DIR or '
                              '--show too')
        if self.show_bands is not None and not (self.show or self.show_dir):
            raise ConfigError('--show-bands says what painted pictures show: give --show-dir DIR '
                              'or --show too')
        if self.metrics and self.format_only:
            raise ConfigError('--eval needs annotations and --format-only is for data without '
                              'them: give one of the two')
        if self.out is not None and Path(self.out).suffix not in ('.pkl', '.pickle'):
            raise ConfigError(f'--out {self.out!r}: predictions are written as .pkl or .pickle; '
                              'scores go to --work-dir')


@naming_lost_peers()
def evaluate_from_config(cfg: Config, checkpoint: str, process: Process, options: OutputOptions,
                         averaged: bool = False) -> dict[str, float] | None:
    """Predict the test set of a config with the model of a checkpoint; returns scores if asked for.

    `averaged` loads the averaged weights that a run with an EMAHook saves.
    """
    get_root_logger(log_level=cfg.get('log_level', 'INFO'))
    check_settings(cfg)
    follow_own_data(cfg, Path(checkpoint).parent)
    if options.aug_test:
        enable_aug_test(cfg.data.test.pipeline)
    dataset = build_split(cfg, 'test')
    if not is_own_anywhere(dataset, 'evaluate'):  # the user's own may know other metrics
        getattr(dataset, 'check_metrics', check_metrics)(options.metrics)
        check_groups(options.eval_options.get('groups'), getattr(dataset, 'CLASSES', None),
                     getattr(dataset, 'score_groups', ()))
    loader = evaluation_loader(dataset, cfg, 'test', process.distributed, process.device)
    with DeferredInit() as init:
        model = build_model(cfg)
    check_labels_agree(cfg, model, {'test': dataset})
    check_channels_agree(model, {'test': dataset})
    loaded = load_weights(model, checkpoint, averaged, cfg.get('match_weights', True))
    order = order_for_test(classes_in(loaded), dataset, checkpoint,
                           cfg.get('match_classes', True))
    if getattr(dataset, 'CLASSES', None) is not None:
        model.CLASSES, model.PALETTE = dataset.CLASSES, getattr(dataset, 'PALETTE', None)
    init.finish()
    model = prepare_predictor(model, cfg, process.device)
    return _run(model, loader, process, options, order,
                Path(options.work_dir or work_dir_of(cfg), 'format_results'))


def _run(model: nn.Module, loader: DataLoader, process: Process, options: OutputOptions,
         order: Sequence[int] | None, folder: Path) -> dict[str, float] | None:
    """Predict all samples once and do what `options` ask for; `folder` is for `format_only`."""
    dataset = loader.dataset
    own = bool(options.metrics) and is_own_anywhere(dataset, 'evaluate')
    score_options, format_options = split_options(options.eval_options, str(folder),
                                                  options.format_only, own)
    overlays = WriteOverlays(
        model, options.show_dir, options.show, options.opacity, options.show_legend,
        dataset.PALETTE, bands=options.show_bands
    ) if options.show or options.show_dir is not None else None
    submission = WriteSubmission(dataset, **format_options) if format_options else None
    collect = CollectSegMaps() if options.out else None
    score = Score(dataset, options.metrics, num_classes=classes_of_model(
        model)) if options.metrics else None
    loss = None
    if score is not None and score_options.pop('val_loss', False):
        loss = ValidationLoss(model.module, dataset, order)
        loss.check()
    sinks = (overlays, submission, collect, score)
    run_test(model, loader, [sink for sink in sinks if sink is not None], order, loss=loss)
    if collect is not None:
        seg_maps = collect_results(collect.results, options.tmpdir, options.gpu_collect)
        if process.rank == 0:
            fileio.dump(seg_maps, options.out)
    scores = None if score is None else _scores(score, dataset, process, options, score_options,
                                                loss)
    for what, place in (
            ('files for a test server', format_options.get('out_dir')),
            ('painted pictures', options.show_dir), ('predictions', options.out)):
        if place:
            get_root_logger().info('%s: %s', what, Path(place).absolute())
    return scores


def _scores(score: Score, dataset: Dataset, process: Process, options: OutputOptions,
            eval_options: Mapping[str, object], loss: ValidationLoss | None) -> dict[str, float]:
    metrics = list(options.metrics)
    # The user's own `evaluate` may have another name for its first parameter.
    named = takes(dataset.evaluate, 'metric')
    scores = score.evaluate(*([] if named else [metrics]),
                            **({'metric': metrics} if named else {}), **eval_options)
    if loss is not None:
        losses = loss.finish()
        get_root_logger().info(', '.join(f'{name}: {value:.4f}' for name, value in losses.items()))
        scores = {**scores, **losses}
    if options.work_dir is not None and process.rank == 0:
        file = Path(options.work_dir, f'eval_{time.strftime("%Y%m%d_%H%M%S")}.json')
        file.parent.mkdir(parents=True, exist_ok=True)
        fileio.dump(scores, file)
        if score.confusion is not None:
            palette = getattr(dataset, 'PALETTE', None)
            write_record(file.with_suffix('.npz'), Evaluation(
                0, False, False, scores,
                names_of(dataset.CLASSES, score.confusion.num_classes),
                [] if palette is None else np.asarray(palette).tolist(),
                confusion=score.confusion.matrix))
    return scores
