"""What the loggers of other packages have in common."""
from importlib import import_module
from types import ModuleType

from ....utils.errors import MissingModuleError
from ...base_runner import BaseRunner
from .base import LoggerHook


class ServiceLoggerHook(LoggerHook):
    """Base of the loggers that send scalars to a program or service of another package.

    The package is imported when the hook is made, so that a missing one is told before the
    training.
    """

    def get_iter(self, runner: BaseRunner, inner_iter: bool = False) -> int:
        """Number of the iteration, from 1; a validation between iterations counts as the next one.

        Such services refuse a second entry for a step.
        """
        if self.by_epoch and inner_iter:
            return runner.inner_iter + 1
        return runner.iter + 1

    def load_package(self, module: str, install: str) -> ModuleType:
        """Import `module`; MissingModuleError names the package `install` if that is missing."""
        try:
            return import_module(module)
        except ImportError as error:
            raise MissingModuleError(
                f'log_config has a {type(self).__name__}, but {install} is not installed: pip '
                f'install {install}, or remove the hook from log_config.hooks') from error
