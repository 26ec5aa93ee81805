"""The options of ProfilerHook that name functions of torch.profiler."""
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean
from ..base_runner import BaseRunner

TRACES = ('log_trace', 'tb_trace')


def check_options(by_epoch: object, profile_iters: int, activities: object, schedule: object,
                  on_trace_ready: object) -> None:
    """Raise ConfigError for options of ProfilerHook that cannot be used."""
    if not isinstance(by_epoch, bool):
        raise ConfigError(f'ProfilerHook: by_epoch={by_epoch!r} is True or False')
    if profile_iters < 1:
        raise ConfigError(f'ProfilerHook: profile_iters={profile_iters} is at least 1')
    if not isinstance(activities, list) or not all(isinstance(name, str) for name in activities):
        raise ConfigError(f'ProfilerHook: activities={activities!r} is a list of names of devices')
    if schedule is not None and not isinstance(schedule, dict) and not callable(schedule):
        raise ConfigError(f'ProfilerHook: schedule={schedule!r} is a dict or a function')
    if isinstance(on_trace_ready, dict):
        kind = on_trace_ready.get('type')
        if kind not in TRACES:
            raise ConfigError(f'ProfilerHook: on_trace_ready.type={kind!r} is one of '
                              f'{", ".join(TRACES)}{did_you_mean(str(kind), TRACES)}')
    elif on_trace_ready is not None and not callable(on_trace_ready):
        raise ConfigError(f'ProfilerHook: on_trace_ready={on_trace_ready!r} is a dict or a '
                          'function')


def trace_handler(option: dict[str, Any] | Callable[[Any], None] | None, profiler: ModuleType,
                  runner: BaseRunner) -> Callable[[Any], None] | None:
    """The function that handles a trace; None if the option is."""
    if not isinstance(option, dict):
        return option
    arguments = {key: value for key, value in option.items() if key != 'type'}
    if option['type'] == 'log_trace':
        return lambda finished: runner.logger.info(
            '%s', finished.key_averages().table(**arguments))
    return profiler.tensorboard_trace_handler(**arguments)
