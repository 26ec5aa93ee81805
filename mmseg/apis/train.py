"""`train_segmentor`: connect a model, its data and the hooks to a runner, and run it."""
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

import mmseg.report  # noqa: F401, whose hook a config may name
from mmcv_replace.device import resolve_device, seed_everything
from mmcv_replace.device_start import start_device
from mmcv_replace.runner import BaseRunner, build_optimizer, build_runner, load_checkpoint
from mmcv_replace.runner.checkpoints.auto_resume import current_run
from mmcv_replace.runner.checkpoints.optimizer_state import check_overrides
from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.runner.hooks import NondeterminismHook, RankWatchHook, find_ema
from mmcv_replace.runner.precision import precision_from_config, without_fp16
from mmcv_replace.runner.workflow import check_workflow
from mmcv_replace.utils import Config
from mmseg.core import DistEvalHook, EvalHook
from mmseg.core.evaluation import check_metrics, is_own_anywhere
from mmseg.datasets.listing.sample_lists import sample_list
from mmseg.datasets.loader.skip_samples import SkippedFilesHook
from mmseg.datasets.pipelines.channel_check import check_channels_agree
from mmseg.models import EncoderDecoder
from mmseg.utils import get_root_logger

from .acceleration import choose_norms, prepare_training
from .datasets import build_split, check_files, splits_of
from .dist_errors import naming_lost_peers, naming_nondeterminism
from .labels.contract import check_labels_agree
from .labels.trained_classes import check_resumed_classes, tell_other_classes
from .loaders import evaluation_loader, first_batches, training_loader
from .model import ddp_options, fit_checkpoint, wrap_model
from .resume_changes import differences
from .settings import check_settings


def set_random_seed(seed: int, deterministic: bool | str = False) -> None:
    """Seed every random generator; with `deterministic` use repeatable kernels where they exist.

    With 'strict' an operator without one is an error.
    """
    seed_everything(seed, deterministic)


def init_random_seed(seed: int | None = None, device: object = None) -> int:
    """`seed`, or where it is None a number that is drawn and equal on all ranks.

    `device` has no effect.
    """
    if seed is not None:
        return seed
    return from_first_rank(int(np.random.SeedSequence().entropy % 2**31))


def train_segmentor(model: nn.Module, dataset: Dataset | Sequence[Dataset], cfg: Config,
                    distributed: bool = False, validate: bool = False,
                    timestamp: str | None = None, meta: dict | None = None,
                    device: torch.device | str = 'auto') -> BaseRunner:
    """Train `model` on `dataset` (one for each entry of `cfg.workflow`) with the settings of `cfg`.

    With `validate` the data set `cfg.data.val` is scored in the course of the training. A model
    that is new gets its first weights, see `EncoderDecoder.init_unwritten`. Returns the
    runner, which holds the last iteration, the hooks and the best score. Raises ConfigError where
    settings are wrong, or data sets and model differ in the meaning of labels.
    """
    check_settings(cfg)
    datasets = list(dataset) if isinstance(dataset, list | tuple) else [dataset]
    workflow = cfg.get('workflow', [('train', 1)])
    check_workflow(datasets, workflow)
    splits = splits_of(datasets, workflow)
    for name, each in splits.items():
        check_files(each, cfg, name)
    if validate:
        splits['val'] = build_split(cfg, 'val')
    check_labels_agree(cfg, model, splits)
    check_channels_agree(model, splits)
    if isinstance(device, str):
        device = resolve_device(device)
        start_device(device, cfg.get(device.type))
    if isinstance(model, EncoderDecoder) and not cfg.get('resume_from'):
        model.init_unwritten()
    return run_training(model, datasets, splits['val'] if validate else None, cfg, distributed,
                        timestamp, meta, device)


def run_training(model: nn.Module, datasets: Sequence[Dataset], val: Dataset | None, cfg: Config,
                 distributed: bool, timestamp: str | None, meta: dict | None,
                 device: torch.device) -> BaseRunner:
    """Train on data sets that have been checked, and score `val`, if given; see train_segmentor."""
    workflow = cfg.get('workflow', [('train', 1)])
    trained = splits_of(datasets, workflow)['train']
    loaders = [training_loader(item, cfg, distributed, device, mode)
               for item, (mode, _) in zip(datasets, workflow, strict=True)]
    logger = get_root_logger(log_level=cfg.get('log_level', 'INFO'))
    _load_weights(model, cfg, trained)
    precision = precision_from_config(cfg, device)
    model = prepare_training(model, cfg, device)
    model = wrap_model(model, device, distributed, precision, ddp_options(cfg, device))
    choose_norms(model, cfg, device)
    optimizer = build_optimizer(model, cfg.optimizer, precision.master_dtype, joined=True)
    precision.attach(model, optimizer)
    meta = dict(meta or {}, samples=dict(train=sample_list(trained)))
    runner = build_runner(_runner_config(cfg), default_args=dict(
        model=model, optimizer=optimizer, work_dir=cfg.work_dir, logger=logger, meta=meta,
        precision=precision))
    runner.timestamp = timestamp or runner.timestamp
    runner.register_training_hooks(
        cfg.lr_config, without_fp16(cfg.get('optimizer_config') or {}),
        cfg.get('checkpoint_config'), cfg.get('log_config'), cfg.get('momentum_config'),
        nonfinite=cfg.get('nonfinite'))
    if val is not None:
        _register_evaluation(runner, cfg, val, distributed, device)
    for loader in loaders:
        if getattr(loader, 'max_skipped', None) is not None:
            runner.register_hook(SkippedFilesHook(loader), priority='VERY_HIGH')
    for hook in cfg.get('custom_hooks') or []:
        runner.register_hook_from_cfg(hook)
    ema = find_ema(runner)
    if ema is not None:
        ema.batches = first_batches(trained, ema.statistics_batches, cfg, distributed, device)
    _resume(runner, cfg, trained)
    _register_watchers(runner, cfg, distributed)
    with naming_lost_peers(), naming_nondeterminism():
        runner.run(loaders, workflow)
    return runner


def _load_weights(model: nn.Module, cfg: Config, dataset: Dataset) -> None:
    """Load the weights of `load_from`, unless `resume_from` holds all of them."""
    logger = get_root_logger()
    if cfg.get('load_from') and cfg.get('resume_from'):
        logger.warning('load_from=%s is not used: the run goes on from %s, which holds all '
                       'weights. For a new run from the former leave out --resume-from and '
                       '--auto-resume', cfg.load_from, cfg.resume_from)
    elif cfg.get('load_from'):
        loaded = load_checkpoint(model, cfg.load_from, logger=logger,
                                 adapt=partial(fit_checkpoint, model))
        tell_other_classes(cfg, loaded, dataset)
        if cfg.model.get('pretrained'):
            logger.info('load_from=%s: its weights replace the pretrained ones (%s)',
                        cfg.load_from, cfg.model.pretrained)


def _resume(runner: BaseRunner, cfg: Config, dataset: Dataset) -> None:
    """Resume from `resume_from`, if set, and protect the checkpoints named by the user."""
    runner.begins_from(cfg.get('load_from'), cfg.model.get('pretrained'),
                       *(hook.get('resume_from') for hook in cfg.get('custom_hooks') or []))
    overrides = cfg.get('resume_override') or []
    overrides = [overrides] if isinstance(overrides, str) else overrides
    check_overrides(runner.optimizer, overrides)
    if cfg.get('resume_from'):
        check_resumed_classes(cfg, dataset)
        runner.resume(cfg.resume_from, overrides=overrides,
                      compare=partial(differences, cfg, runner.meta))
        if runner.resumed_file is not None:  # None where auto-resume chose the file
            runner.begins_from(cfg.resume_from)
        run_id, origin = current_run(cfg.work_dir) if cfg.work_dir else (None, None)
        if run_id is not None and run_id == runner.meta.get('run_id'):
            runner.begins_from(origin)  # the user named it before the interruption


def _register_watchers(runner: BaseRunner, cfg: Config, distributed: bool) -> None:
    """Register the hooks that detect lost processes, signals, and nondeterministic kernels."""
    if distributed:
        runner.register_hook(RankWatchHook(), priority='VERY_HIGH')
    if cfg.get('preemption', {}) is not None:
        runner.register_hook_from_cfg({**cfg.get('preemption', {}), 'type': 'PreemptionHook'})
    if torch.is_deterministic_algorithms_warn_only_enabled():
        interval = (cfg.get('log_config') or {}).get('interval', 50)
        runner.register_hook(NondeterminismHook(interval), priority='VERY_LOW')


def _runner_config(cfg: Config) -> dict:
    """`runner` of the config, or one made from the older `total_iters` or `total_epochs`."""
    if cfg.get('runner') is not None:
        return cfg.runner
    if cfg.get('total_epochs') is not None:
        return dict(type='EpochBasedRunner', max_epochs=cfg.total_epochs)
    return dict(type='IterBasedRunner', max_iters=cfg.total_iters)


def _register_evaluation(runner: BaseRunner, cfg: Config, dataset: Dataset, distributed: bool,
                         device: torch.device) -> None:
    options = dict(cfg.get('evaluation') or {})
    if not is_own_anywhere(dataset, 'evaluate'):  # the user's own may know other metrics
        getattr(dataset, 'check_metrics', check_metrics)(options.get('metric') or ())
    loader = evaluation_loader(dataset, cfg, 'val', distributed, device)
    options.setdefault('by_epoch', 'EpochBased' in _runner_config(cfg)['type'])
    hook = DistEvalHook if distributed else EvalHook
    runner.register_hook(hook(loader, **options), priority='LOW')
    runner.meta['samples']['val'] = sample_list(dataset)
