"""A training job from a config: folders, log, seeds, data and model, then the training."""
import itertools
import json
import time
from pathlib import Path

from torch import nn
from torch.utils.data import Dataset

import mmseg
from mmcv_replace.device import seed_everything, set_kernel_search
from mmcv_replace.fileio import atomic_write
from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.dist_utils import any_rank
from mmcv_replace.runner.workflow import check_workflow
from mmcv_replace.utils import Config
from mmcv_replace.utils.config.explain import all_origins
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.expected_normalization import warn_of_other_normalization
from mmseg.datasets.own import Plan
from mmseg.datasets.pipelines.channel_check import check_channels_agree
from mmseg.report.names import ORIGINS
from mmseg.utils import collect_env, get_root_logger

from .cli import work_dir_of
from .data_check import check_training_data
from .datasets import build_split, build_validation, splits_of
from .dist_errors import naming_lost_peers
from .labels.contract import check_labels_agree
from .model import build_model, initialize_weights
from .own.config import apply_plan
from .own.data import plan_own_data, write_own_data
from .process import Process
from .resuming import choose_start
from .settings import check_settings
from .train import init_random_seed, run_training, set_random_seed


@naming_lost_peers()
def train_from_config(
    cfg: Config, process: Process, validate: bool = True, deterministic: bool | str = False
) -> BaseRunner:
    """Run the training that the config describes and return its runner.

    `deterministic` (True or 'strict') overrides that of the config.
    """
    check_settings(cfg)
    deterministic = deterministic or cfg.get('deterministic') or False
    plan, decisions = plan_own_data(cfg) or (None, '')
    if plan is not None:
        decisions = '\n'.join([decisions, *apply_plan(cfg, plan, work_dir_of(cfg))])
    work_dir = _prepare_work_dir(cfg, process, plan)
    timestamp = _free_timestamp(work_dir)
    log_file = work_dir / f'{timestamp}.log'
    logger = get_root_logger(str(log_file), cfg.get('log_level', 'INFO'))
    run = choose_start(cfg)
    env_info = '\n'.join(f'{key}: {value}' for key, value in collect_env().items())
    logger.info('Environment:\n%s', env_info)
    logger.info('Device: %s, processes: %d', process.device, process.world_size)
    if decisions:
        logger.info('Own data:\n%s', decisions)
    logger.info('Config:\n%s', cfg.pretty_text)
    cfg.seed = init_random_seed(cfg.get('seed'))
    set_random_seed(cfg.seed, deterministic)
    set_kernel_search(bool(cfg.get('cudnn_benchmark')) and not deterministic)
    logger.info('Seed: %d, deterministic: %s', cfg.seed, deterministic)
    if process.rank == 0:
        _write_origins(cfg, work_dir / f'{timestamp}{ORIGINS}')

    model, datasets, val = _build(cfg, validate)
    if not cfg.get('resume_from'):
        initialize_weights(model)
        warn_of_other_normalization(cfg, model)
    logger.info('Model:\n%s', model)

    # Weights start equal on every rank; what is random in training (dropout) must differ.
    seed_everything(cfg.seed + process.rank, deterministic)
    meta = dict(
        env_info=env_info,
        seed=cfg.seed,
        exp_name=Path(cfg.filename).name if cfg.filename else 'config',
        mmseg_version=mmseg.__version__,
        world_size=process.world_size,
        config=cfg.pretty_text,
        CLASSES=model.CLASSES,
        PALETTE=model.PALETTE,
        **run)
    return run_training(model, datasets, val, cfg, process.distributed, timestamp, meta,
                        process.device)


def _build(cfg: Config, validate: bool) -> tuple[nn.Module, list[Dataset], Dataset | None]:
    """The model, a data set for each entry of the workflow, and that of the evaluation, checked."""
    workflow = cfg.get('workflow', [('train', 1)])
    check_workflow(workflow, workflow)
    datasets = [build_split(cfg, 'train') if mode == 'train' else build_validation(cfg)
                for mode, _ in workflow]
    model = build_model(cfg)
    splits = splits_of(datasets, workflow)
    trained, val = splits['train'], None
    if validate:
        # The data check, if there is one, lists all files that are missing.
        val = build_split(cfg, 'val', may_lack_files=cfg.data.get('check') != 'off')
        splits['val'] = val
    check_labels_agree(cfg, model, splits)
    check_channels_agree(model, splits)
    check_training_data(cfg, splits if validate else {'train': trained}, cfg.work_dir)
    model.CLASSES = getattr(trained, 'CLASSES', None)
    model.PALETTE = getattr(trained, 'PALETTE', None)
    return model, datasets, val


def _prepare_work_dir(cfg: Config, process: Process, plan: Plan | None) -> Path:
    """The folder of the run, with the config, and the lists of a plan, which the config names."""
    cfg.work_dir = work_dir_of(cfg)
    work_dir = Path(cfg.work_dir)
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        if plan is not None:
            write_own_data(plan, work_dir)
        if process.rank == 0:
            cfg.dump(work_dir / (Path(cfg.filename).stem + '.py'))
    except OSError as error:
        raise ConfigError(f'work_dir={cfg.work_dir!r} cannot be written: {error}; free some space, '
                          'correct the permissions or choose another --work-dir') from error
    if plan is not None:
        any_rank(False)  # all wait for the lists of those that write
    return work_dir


def _write_origins(cfg: Config, file: Path) -> None:
    """Record which files and options set each value of the config, for reports."""
    try:
        with atomic_write(file, 'w', sync=False) as opened:
            json.dump(all_origins(cfg), opened)
    except OSError as error:  # the training can do without
        get_root_logger().warning('cannot write %s: %s', file, error)


def _free_timestamp(work_dir: Path) -> str:
    """The current time as a name for log files that is not taken yet."""
    now = time.strftime('%Y%m%d_%H%M%S', time.localtime())
    names = (f'{now}_{count}' if count else now for count in itertools.count())
    return next(name for name in names if not (work_dir / f'{name}.log').exists())
