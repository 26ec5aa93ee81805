"""All settings of a config, with their types, and the check of them before any work is done."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, Literal

import torch
from torch.distributed import init_process_group
from torch.nn.parallel import DistributedDataParallel

from mmcv_replace.device import KINDS, DeviceKind
from mmcv_replace.device_start import start_settings
from mmcv_replace.host import HostSettings
from mmcv_replace.runner.hooks import CheckInvalidLossHook, CheckpointHook, PreemptionHook
from mmcv_replace.runner.precision import PrecisionSettings
from mmcv_replace.utils import Config
from mmcv_replace.utils.checks.signature import parameters_of
from mmcv_replace.utils.checks.type_check import annotations_of
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.misspelling import misspelt
from mmcv_replace.utils.section import Keys, Range, Section, section_problems
from mmseg.core import EvalHook
from mmseg.datasets.own import OwnDataSettings
from mmseg.datasets.settings import DataSettings
from mmseg.models.segmentors.slide import PredictionSettings
from mmseg.models.utils.points import POINT_SETTINGS
from mmseg.utils.input_channels import spread_in_channels

Hooks = Sequence[dict] | None
LogLevel = Literal['DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL', 'NOTSET']
# Arguments of torch.compile, and the parts of the model to compile.
COMPILING = ('parts', *sorted({*parameters_of(torch.compile)} - {'model', 'disable', 'name'}))


def _names(names: Iterable[str], closed: bool = False) -> Keys:
    """Names whose values are not checked here."""
    return Keys(dict.fromkeys(names, Any), closed)


def _arguments(hook: type, *more: str, closed: bool = True) -> Keys:
    """The arguments of a hook of this package, and `more` names."""
    return Keys({**annotations_of(hook), **dict.fromkeys(more, Any)}, closed)


# Names that the segmentors and heads here read; a head of the user's own may read others.
TRAINING = _names(POINT_SETTINGS['train_cfg'])
PREDICTION = _names([*parameters_of(PredictionSettings), *POINT_SETTINGS['test_cfg']])


@dataclass(frozen=True)
class ModelSettings(Section):
    """`model`, whose other keys are arguments of its type."""

    OPEN = True
    train_cfg: Annotated[dict | None, TRAINING] = None
    test_cfg: Annotated[dict | None, PREDICTION] = None


@dataclass(frozen=True)
class LogSettings(Section):
    """`log_config`."""

    interval: Annotated[int, Range(1), 'iterations between two lines of the log'] = 10
    hooks: Annotated[Sequence[dict], 'the loggers'] = ()


@dataclass(frozen=True)
class Settings(Section):
    """The settings of a config. Its other names are variables of the user."""

    OPEN = True
    model: Annotated[dict, ModelSettings] = None
    train_cfg: Annotated[dict | None, TRAINING] = None
    test_cfg: Annotated[dict | None, PREDICTION] = None
    data: Annotated[dict, DataSettings] = None
    own_data: Annotated[dict | None, OwnDataSettings] = None
    in_channels: Annotated[int | None, Range(1, 4096), 'bands of the images, all used'] = None

    optimizer: Annotated[dict, "such as dict(type='SGD', lr=0.01)"] = None
    optimizer_config: Annotated[dict | None, 'accumulation and clipping of gradients'] = None
    lr_config: Annotated[dict | None, 'the schedule of the learning rate'] = None
    momentum_config: Annotated[dict | None, 'the schedule of the momentum'] = None
    runner: Annotated[dict | None, 'its type, and the length of the training'] = None
    total_iters: Annotated[int | None, 'the length of the training without a runner'] = None
    total_epochs: Annotated[int | None, 'the length of the training without a runner'] = None
    workflow: Annotated[Sequence[Sequence], "such as [('train', 1)]"] = (('train', 1),)

    checkpoint_config: Annotated[dict | None, _arguments(CheckpointHook)] = None
    evaluation: Annotated[dict | None, _arguments(
        EvalHook, 'metric', 'broadcast_bn_buffer', closed=False)] = None
    nonfinite: Annotated[dict | None, _arguments(CheckInvalidLossHook)] = None
    preemption: Annotated[dict | None, _arguments(PreemptionHook, 'priority')] = None
    custom_hooks: Annotated[Hooks, 'further hooks, each with a type'] = None
    log_config: Annotated[dict | None, LogSettings] = None
    log_level: Annotated[LogLevel | int, 'what is logged at least'] = 'INFO'

    fp16: Annotated[dict | None, PrecisionSettings] = None
    bf16: Annotated[bool | dict | None, PrecisionSettings] = None
    compile: Annotated[bool | dict | None, _names(COMPILING, True)] = None
    winograd: Annotated[bool | None, 'None: where the device gains from it'] = None
    host_norms: Annotated[bool | None, 'None: where the device gains from it'] = None
    recompute_norms: Annotated[bool | None, 'None: where the device gains from it'] = None
    channels_last: Annotated[bool | None, 'None: where the device gains from it'] = None
    fuse_conv_bn: Annotated[bool | None, 'None: in the modules of this package'] = None
    cudnn_benchmark: Annotated[bool, 'search for the fastest kernels'] = False
    deterministic: Annotated[Literal[True, False, 'strict'] | None, 'repeatable kernels'] = None

    ddp: Annotated[dict | None, _names(parameters_of(DistributedDataParallel), True)] = None
    dist_params: Annotated[dict | None, _names(parameters_of(init_process_group))] = None
    find_unused_parameters: Annotated[bool, 'of DistributedDataParallel'] = False

    work_dir: Annotated[str | None, 'the folder for logs and checkpoints'] = None
    load_from: Annotated[str | None, 'the checkpoint whose weights a new run starts from'] = None
    resume_from: Annotated[str | None, 'the checkpoint of the run to resume'] = None
    resume_override: Annotated[str | Sequence[str] | None, 'optimizer settings to replace'] = None
    auto_resume: Annotated[bool | None, 'resume from the newest checkpoint in work_dir'] = None
    match_classes: Annotated[bool, 'compare classes by name'] = True
    match_weights: Annotated[bool, 'refuse checkpoints that lack weights'] = True
    seed: Annotated[int | None, Range(0, 2**32 - 1), 'None: a random one'] = None
    custom_imports: Annotated[Any, "dict(imports=['package.module'])"] = None


def _device_field(kind: DeviceKind) -> tuple[str, Any, None]:
    known = HostSettings if kind.type == 'cpu' else _names(start_settings(kind))
    return kind.type, Annotated[dict | None, known], None


AllSettings = make_dataclass('AllSettings', map(_device_field, KINDS), bases=(Settings,),
                             frozen=True)
TOP = parameters_of(AllSettings)


def check_settings(cfg: Config) -> None:
    """Raise ConfigError for names that are no settings and values that do not fit, all at once.

    The text of each has the key, the value, and the file or option that set it. At the top level
    a name is wrong if it resembles that of a setting, which would be ignored; other names are free.
    `in_channels` is passed on where a program has set it after `load_config`.
    """
    spread_in_channels(cfg)
    problems = list(section_problems(AllSettings, cfg, ''))
    if problems and any(misspelt(str(name), TOP) for name in cfg):
        problems.append('A variable of your own needs a name that is less like that of a setting, '
                        'or one that begins with an underscore')
    if problems:
        raise ConfigError('\n'.join(problems))
