"""A test job from a config and a checkpoint: one pass that scores, paints, formats, collects."""
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace import fileio
from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import set_kernel_search
from mmcv_replace.runner import precision_from_config
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import (
    Gathered,
    check_metrics,
    collect_results,
    conclude,
    formatted,
    gather,
    kept,
    painted,
    predict,
    relabelled,
    takes,
    wants_predictions,
    with_progress,
)
from mmseg.utils import get_root_logger

from .acceleration import prepare_inference
from .cli import work_dir_of
from .datasets import build_split
from .dist_errors import naming_lost_peers
from .evaluation_loader import evaluation_loader
from .inference import load_weights
from .labels.contract import check_labels_agree
from .labels.trained_classes import classes_in, order_for_test
from .model import build_model, wrap_model
from .process import Process
from .settings import check_settings


@dataclass(frozen=True)
class OutputOptions:
    """What to do with the predictions; at least one of the first five."""

    metrics: Sequence[str] = ()  # names for dataset.evaluate
    out: str | None = None  # pickle file for the list of label maps
    # Files for a test server, in eval_options['out_dir'], by default a folder in the work dir.
    format_only: bool = False
    show: bool = False
    show_dir: str | None = None
    opacity: float = 0.5
    show_legend: bool = False  # names and colours of the classes beside each painted picture
    aug_test: bool = False  # scales 0.5 to 1.75, each with its mirror image
    eval_options: Mapping[str, object] = field(default_factory=dict)
    tmpdir: str | None = None
    gpu_collect: bool = False
    work_dir: str | None = None  # folder for eval_TIMESTAMP.json

    def __post_init__(self) -> None:
        if not (self.metrics or self.out or self.format_only or self.show or self.show_dir):
            raise ConfigError('say what to do with the predictions: --eval mIoU, --out FILE.pkl, '
                              '--format-only, --show or --show-dir DIR')
        if self.show_legend and not (self.show or self.show_dir):
            raise ConfigError('--show-legend is a part of painted pictures: give --show-dir DIR or '
                              '--show too')
        if self.metrics and self.format_only:
            raise ConfigError('--eval needs annotations and --format-only is for data without '
                              'them: give one of the two')
        if self.out is not None and Path(self.out).suffix not in ('.pkl', '.pickle'):
            raise ConfigError(f'--out {self.out!r}: predictions are written as .pkl or .pickle; '
                              'scores go to --work-dir')


@naming_lost_peers()
def evaluate_from_config(
    cfg: Config, checkpoint: str, process: Process, options: OutputOptions, averaged: bool = False
) -> dict[str, float] | None:
    """Run the config's test set through the checkpoint's model; returns the scores, if asked.

    `averaged` takes the averaged weights of the checkpoint, which an EMAHook put there.
    """
    get_root_logger(cfg.get('log_level', 'INFO'))
    check_settings(cfg)
    if options.aug_test:
        enable_aug_test(cfg)
    dataset = build_split(cfg, 'test')
    if not wants_predictions(dataset):  # its own evaluate may know other metrics
        check_metrics(options.metrics)
    loader = evaluation_loader(dataset, cfg, 'test', process.distributed, process.device)
    with DeferredInit() as init:
        model = build_model(cfg)
    check_labels_agree(cfg, model, {'test': dataset})
    loaded = load_weights(model, checkpoint, averaged, cfg.get('match_weights', True))
    order = order_for_test(classes_in(loaded), dataset, checkpoint,
                           cfg.get('match_classes', True))
    if dataset.CLASSES is not None:
        model.CLASSES, model.PALETTE = dataset.CLASSES, dataset.PALETTE
    init.finish()
    # Windows are of one size; whole images have many, and a search for each would not pay.
    by_windows = (getattr(model, 'test_cfg', None) or {}).get('mode') == 'slide'
    set_kernel_search(bool(cfg.get('cudnn_benchmark')) and by_windows)
    model = prepare_inference(model, cfg, process.device)
    precision = precision_from_config(cfg, process.device)
    model = wrap_model(model, process.device, distributed=False, precision=precision)
    folder = Path(options.work_dir or work_dir_of(cfg), 'format_results')
    scores = _run(model, loader, process, options, order, folder)
    _tell_files(options, folder)
    return scores


def _run(
    model: nn.Module, loader: DataLoader, process: Process, options: OutputOptions,
    order: Sequence[int] | None, folder: Path
) -> dict[str, float] | None:
    paint = options.show or options.show_dir is not None
    stream = with_progress(predict(model, loader, with_image=paint), len(loader.sampler))
    if order is not None:
        stream = relabelled(stream, order)
    results = []
    if paint:
        stream = painted(stream, model, loader.dataset, options.show_dir, options.show,
                         options.opacity, options.show_legend)
    if options.format_only:
        stream = formatted(stream, loader.dataset,
                           **{'out_dir': str(folder), **options.eval_options})
    if options.out:
        stream = kept(stream, results)
    gathered = None
    if options.metrics:
        gathered = gather(stream, loader.dataset)
    else:
        for _ in stream:
            continue
    if options.out:
        label_maps = collect_results(results, options.tmpdir, options.gpu_collect)
        if process.rank == 0:
            fileio.dump(label_maps, options.out)
    return None if gathered is None else _scores(gathered, loader.dataset, process, options)


def _tell_files(options: OutputOptions, folder: Path) -> None:
    """Say what was written where; `folder` is that of `format_only`, unless the options say so."""
    formatted_to = options.eval_options.get('out_dir', folder)
    for what, place in (('files for a test server', options.format_only and formatted_to),
                        ('painted pictures', options.show_dir), ('predictions', options.out)):
        if place:
            get_root_logger().info('%s: %s', what, Path(place).absolute())


def _scores(
    gathered: Gathered, dataset: Dataset, process: Process, options: OutputOptions
) -> dict[str, float]:
    metrics = list(options.metrics)
    # By place for an evaluate of the user's that calls it otherwise.
    named = takes(dataset.evaluate, 'metric')
    scores = conclude(gathered, dataset, process.device, *([] if named else [metrics]),
                      **({'metric': metrics} if named else {}), **options.eval_options)
    if options.work_dir is not None and process.rank == 0:
        file = Path(options.work_dir, f'eval_{time.strftime("%Y%m%d_%H%M%S")}.json')
        file.parent.mkdir(parents=True, exist_ok=True)
        fileio.dump(scores, file)
    return scores


def enable_aug_test(cfg: Config) -> None:
    """Test at six scales, each also mirrored; raises ConfigError without MultiScaleFlipAug."""
    for step in cfg.data.test.pipeline:
        if step['type'] == 'MultiScaleFlipAug':
            step['img_ratios'] = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
            step['flip'] = True
            return
    raise ConfigError('--aug-test changes the MultiScaleFlipAug step of data.test.pipeline, and '
                      'there is none')
