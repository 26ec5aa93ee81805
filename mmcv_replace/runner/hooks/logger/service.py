"""What the loggers of other packages have in common."""
from types import ModuleType

from ....utils.misc.optional import import_optional
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
        return import_optional(module, f'{type(self).__name__} in log_config',
                               f'pip install {install}, or remove the hook from log_config.hooks')
