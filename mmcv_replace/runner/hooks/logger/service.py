"""What the loggers of other packages have in common."""
import inspect
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ....utils.errors import ConfigError
from ....utils.misc.optional import import_optional
from ....utils.seed import keep_random_state
from ...base_runner import BaseRunner
from .base import LoggerHook


class ServiceLoggerHook(LoggerHook):
    """Base of the loggers that send scalars to a program or service of another package.

    The package is imported when the hook is made, so that a missing one shows before the training.
    """

    def get_iter(self, runner: BaseRunner, inner_iter: bool = False) -> int:
        """Number of the iteration, from 1; a validation between iterations counts as the next one.

        Such services refuse a second entry for a step.
        """
        if self.by_epoch and inner_iter:
            return runner.inner_iter + 1
        return runner.iter + 1

    def load_package(self, module: str, install: str) -> ModuleType:
        """Import `module`; MissingModuleError tells to install `install` if that is missing."""
        root = logging.getLogger()
        handlers = [*root.handlers]
        try:
            with keep_random_state():  # some draw from the generators of the training
                return import_optional(
                    module, f'{type(self).__name__} in log_config',
                    f'pip install {install}, or remove the hook from log_config.hooks')
        finally:  # some set up the root logger, which would write each of our lines again
            for handler in {*root.handlers} - {*handlers}:
                root.removeHandler(handler)

    def check_arguments(self, setting: str, function: Callable[..., Any],
                        arguments: dict[str, Any] | None) -> None:
        """Raise ConfigError unless the package's `function` takes the arguments of a setting."""
        try:
            inspect.signature(function).bind(**(arguments or {}))
        except TypeError as error:
            raise ConfigError(f'{type(self).__name__}.{setting}={arguments!r}: {error}; they are '
                              f'arguments of {function.__module__}.{function.__name__}') from error
