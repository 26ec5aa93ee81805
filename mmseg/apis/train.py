"""`train_segmentor`: wire a model, its data and the hooks to a runner, and run it."""
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.device import is_asynchronous, owns_gradients
from mmcv_replace.ops import fit_sync_batchnorm
from mmcv_replace.parallel import DevicePrefetcher, MMDataParallel, MMDistributedDataParallel
from mmcv_replace.parallel.distributed import BUFFER_SWITCH
from mmcv_replace.runner import (
    BaseRunner,
    Precision,
    build_optimizer,
    build_runner,
    load_checkpoint,
    precision_from_config,
)
from mmcv_replace.runner.checkpoints.auto_resume import current_run
from mmcv_replace.runner.checkpoints.optimizer_state import check_overrides
from mmcv_replace.runner.hooks import EMAHook, NondeterminismHook, RankWatchHook, find_ema
from mmcv_replace.runner.precision import without_fp16
from mmcv_replace.runner.workflow import check_workflow
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.section import read_section
from mmseg.core import DistEvalHook, EvalHook
from mmseg.datasets import build_dataloader
from mmseg.datasets.pipeline_options import tune_pipelines
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.datasets.settings import DataSettings
from mmseg.datasets.skip_hook import SkippedFilesHook
from mmseg.utils import get_root_logger

from .acceleration import prepare_training
from .datasets import build_split, splits_of
from .dist_errors import naming_lost_peers, naming_nondeterminism
from .evaluation_loader import evaluation_loader
from .labels.contract import check_labels_agree
from .labels.trained_classes import check_resumed_classes, tell_other_classes
from .resume_changes import differences
from .sample_lists import sample_list
from .settings import check_settings
from .settings.loader import loader_settings
from .train_options import read_overrides


def train_segmentor(
    model: nn.Module,
    dataset: Dataset | Sequence[Dataset],
    cfg: Config,
    distributed: bool = False,
    validate: bool = False,
    timestamp: str | None = None,
    meta: dict | None = None,
    device: torch.device | str = 'cpu',
) -> BaseRunner:
    """Train `model` on `dataset` (one for each entry of `cfg.workflow`) as `cfg` says.

    Returns the runner, which knows the last iteration, the hooks and the best score.
    """
    check_settings(cfg)
    device = torch.device(device)
    datasets = list(dataset) if isinstance(dataset, list | tuple) else [dataset]
    workflow = cfg.get('workflow', [('train', 1)])
    check_workflow(datasets, workflow)
    splits = splits_of(datasets, workflow)
    if validate:
        splits['val'] = build_split(cfg, 'val')
    check_labels_agree(cfg, model, splits)
    trained = splits['train']
    loaders = [_train_loader(item, cfg, distributed, device, mode)
               for item, (mode, _) in zip(datasets, workflow, strict=True)]
    logger = get_root_logger(cfg.get('log_level', 'INFO'))
    _load_weights(model, cfg, trained)
    precision = precision_from_config(cfg, device)
    model = prepare_training(model, cfg, device)
    model = wrap_model(model, device, distributed, precision, ddp_options(cfg, device))
    optimizer = build_optimizer(model, cfg.optimizer, precision.master_dtype)
    precision.attach(model, optimizer)
    runner = build_runner(
        _runner_config(cfg),
        default_args=dict(
            model=model,
            optimizer=optimizer,
            work_dir=cfg.work_dir,
            logger=logger,
            meta=dict(meta or {}, samples=dict(train=sample_list(trained))),
            precision=precision))
    runner.timestamp = timestamp or runner.timestamp
    runner.register_training_hooks(
        cfg.lr_config, without_fp16(cfg.get('optimizer_config') or {}),
        cfg.get('checkpoint_config'), cfg.get('log_config'), cfg.get('momentum_config'),
        cfg.get('nonfinite'))
    if validate:
        _register_evaluation(runner, cfg, splits['val'], distributed, device)
    for loader in loaders:
        if getattr(loader, 'max_skipped', None) is not None:
            runner.register_hook(SkippedFilesHook(loader), priority='VERY_HIGH')
    for hook in cfg.get('custom_hooks') or []:
        runner.register_hook_from_cfg(hook)
    _give_batches(find_ema(runner), trained, cfg, distributed, device)
    _resume(runner, cfg, trained)
    _watch(runner, cfg, distributed)
    with naming_lost_peers(), naming_nondeterminism():
        runner.run(loaders, workflow)
    return runner


def _load_weights(model: nn.Module, cfg: Config, dataset: Dataset) -> None:
    """Those of `load_from`, unless the run goes on from a checkpoint with all of its own."""
    logger = get_root_logger()
    if cfg.get('load_from') and cfg.get('resume_from'):
        logger.warning('load_from=%s is not used: the run goes on from %s, which holds all '
                       'weights. For a new run from the former leave out --resume-from and '
                       '--auto-resume', cfg.load_from, cfg.resume_from)
    elif cfg.get('load_from'):
        tell_other_classes(cfg, load_checkpoint(model, cfg.load_from, logger=logger), dataset)
        if cfg.model.get('pretrained'):
            logger.info('load_from=%s: its weights replace the pretrained ones (%s)',
                        cfg.load_from, cfg.model.pretrained)


def _resume(runner: BaseRunner, cfg: Config, dataset: Dataset) -> None:
    """Go on from `resume_from`, if it is set, and keep the files that the user has named."""
    runner.begins_from(cfg.get('load_from'), cfg.model.get('pretrained'),
                       *(hook.get('resume_from') for hook in cfg.get('custom_hooks') or []))
    overrides = read_overrides(cfg)
    check_overrides(runner.optimizer, overrides)
    if cfg.get('resume_from'):
        check_resumed_classes(cfg, dataset)
        runner.resume(cfg.resume_from, overrides=overrides,
                      compare=partial(differences, cfg, runner.meta))
        if runner.resumed_file is not None:  # it was not auto-resume that chose it
            runner.begins_from(cfg.resume_from)
        run_id, origin = current_run(cfg.work_dir) if cfg.work_dir else (None, None)
        if run_id is not None and run_id == runner.meta.get('run_id'):
            runner.begins_from(origin)  # named before the run was interrupted


def _watch(runner: BaseRunner, cfg: Config, distributed: bool) -> None:
    """Register what looks out for lost processes, signals and kernels that are not repeatable."""
    if distributed:
        runner.register_hook(RankWatchHook(), priority='VERY_HIGH')
    if cfg.get('preemption', {}) is not None:
        runner.register_hook_from_cfg({**cfg.get('preemption', {}), 'type': 'PreemptionHook'})
    if torch.is_deterministic_algorithms_warn_only_enabled():
        interval = (cfg.get('log_config') or {}).get('interval', 50)
        runner.register_hook(NondeterminismHook(interval), priority='VERY_LOW')


def wrap_model(
    model: nn.Module,
    device: torch.device,
    distributed: bool,
    precision: Precision,
    options: Mapping[str, object] | None = None,
) -> nn.Module:
    """Move the model to its device and wrap it for the runner; `options` are torch DDP's."""
    model = _fit_sync_batchnorm(model, device, distributed).to(device)
    precision.cast(model)
    if not distributed:
        return MMDataParallel(model, autocast=precision.autocast)
    return MMDistributedDataParallel(
        model,
        device_ids=None if device.index is None else [device.index],
        autocast=precision.autocast,
        **(options or {}))


def ddp_options(cfg: Config, device: torch.device) -> dict[str, object]:
    """Arguments for DDP: `ddp = dict(...)` of the config over what suits every model.

    Gradients live in DDP's buckets, which saves a copy of them, unless the optimizer keeps them in
    storage of its own. `ddp = dict(static_graph=True)` is for models whose every step uses the same
    parameters in the same order; torch refuses it together with `cumulative_iters`.
    """
    return {
        # Norms either share their statistics or keep those of each process until evaluation.
        BUFFER_SWITCH: False,
        'gradient_as_bucket_view': not owns_gradients(cfg.optimizer.type, device),
        'find_unused_parameters': cfg.get('find_unused_parameters', False),
        **(cfg.get('ddp') or {}),
    }


def _fit_sync_batchnorm(model: nn.Module, device: torch.device, distributed: bool) -> nn.Module:
    """Replace SyncBN by what computes the same here: BN in one process, what the device takes."""
    layers = sum(isinstance(module, nn.SyncBatchNorm) for module in model.modules())
    if not layers:
        return model
    if not distributed:
        get_root_logger().info('%d SyncBN layers run as BN: there is one process', layers)
        return revert_sync_batchnorm(model)
    return fit_sync_batchnorm(model, device)


def _train_loader(
    dataset: Dataset, cfg: Config, distributed: bool, device: torch.device, mode: str
) -> DataLoader:
    tune_pipelines(dataset, cfg.data, is_asynchronous(device))
    return _load_tuned(dataset, cfg, distributed, device, mode)


def _load_tuned(
    dataset: Dataset, cfg: Config, distributed: bool, device: torch.device, mode: str,
    **options: object,
) -> DataLoader:
    # A loss over other samples than those of the set would mislead, so validation skips none.
    data = read_section(DataSettings, cfg.data, 'data')
    max_skipped = data.max_skipped if mode == 'train' else None
    settings = loader_settings(cfg, 'train', device, samples_per_gpu=cfg.data.samples_per_gpu,
                               prefetch_factor=data.prefetch_factor)
    loader = build_dataloader(dataset, dist=distributed, seed=cfg.get('seed') or 0, drop_last=True,
                              max_skipped=max_skipped, **settings | options)
    if len(loader) == 0:
        raise DataError(
            f'the training set has {len(dataset)} images, fewer than one batch '
            f'(data.samples_per_gpu={settings["samples_per_gpu"]} on each process); lower '
            'data.samples_per_gpu, or repeat the images with RepeatDataset')
    if is_asynchronous(device) or data.normalize_on_device:
        return DevicePrefetcher(loader, device, finish)
    return loader


def _give_batches(ema: EMAHook | None, dataset: Dataset, cfg: Config, distributed: bool,
                  device: torch.device) -> None:
    """Let the hook, if there is one, load the first batches of the training again."""
    if ema is None:
        return
    loader = _load_tuned(dataset, cfg, distributed, device, 'train', persistent_workers=False)
    loader.sampler.stop = ema.statistics_batches * loader.batch_size  # none is loaded beyond
    ema.batches = loader


def _runner_config(cfg: Config) -> dict:
    """`runner`, or what configs had before it: `total_iters` or `total_epochs`."""
    if cfg.get('runner') is not None:
        return dict(cfg.runner)
    if cfg.get('total_epochs') is not None:
        return dict(type='EpochBasedRunner', max_epochs=cfg.total_epochs)
    return dict(type='IterBasedRunner', max_iters=cfg.total_iters)


def _register_evaluation(
    runner: BaseRunner, cfg: Config, dataset: Dataset, distributed: bool, device: torch.device
) -> None:
    loader = evaluation_loader(dataset, cfg, 'val', distributed, device)
    options = dict(cfg.get('evaluation') or {})
    options.setdefault('by_epoch', 'EpochBased' in _runner_config(cfg)['type'])
    hook = DistEvalHook if distributed else EvalHook
    runner.register_hook(hook(loader, **options), priority='LOW')
    runner.meta['samples']['val'] = sample_list(dataset)
