"""Finds the operators that make a run with a fixed seed irreproducible."""
import re
import warnings

import torch.distributed as dist

from ..base_runner import BaseRunner
from ..dist_utils import host_group
from ..hook import HOOKS, Hook

# Messages of torch about operators without a deterministic implementation.
_MESSAGES = (
    re.compile(r'(?P<name>.+) does not have a deterministic implementation'),
    re.compile(r'this operation is not deterministic because it uses (?P<name>CuBLAS)'),
    re.compile(r'(?P<name>.+) defaults to a non-deterministic algorithm'),
)


def nondeterministic_operator(message: str) -> str | None:
    """The operator that a message of torch calls non-deterministic; None for other messages.

    CuBLAS stands for matrix products if CUBLAS_WORKSPACE_CONFIG is not set.
    """
    found = next(filter(None, (pattern.search(message) for pattern in _MESSAGES)), None)
    return found and found['name']


@HOOKS.register_module()
class NondeterminismHook(Hook):
    """Logs each non-deterministic operator once, in place of torch's warnings.

    The first iteration ends with a list of those that any process has used; later ones, such as
    those of an evaluation, are logged when they occur, with several processes every `interval`
    iterations and at the end. For runs in torch's deterministic mode with `warn_only`.
    """

    default_priority = 'VERY_LOW'  # after all computations of an iteration

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._filters: warnings.catch_warnings | None = None

    def before_run(self, runner: BaseRunner) -> None:
        self._seen: set[str] = set()
        self._reported: set[str] = set()
        self._begun = False
        self._filters = warnings.catch_warnings()
        self._filters.__enter__()
        for pattern in _MESSAGES:
            # By default Python shows a message once for each line of code, across runs.
            warnings.filterwarnings('always', f'.*{pattern.pattern}')
        show = warnings.showwarning

        def record(message: Warning, *args: object, **kwargs: object) -> None:
            operator = nondeterministic_operator(str(message))
            if operator is None:
                show(message, *args, **kwargs)
            else:
                self._seen.add(operator)

        warnings.showwarning = record

    def after_run(self, runner: BaseRunner) -> None:
        if self._filters is not None:
            self._filters.__exit__(None, None, None)
            self._filters = None

    def after_train_iter(self, runner: BaseRunner) -> None:
        due = self.every_n_iters(runner, self.interval) or self.is_last_iter(runner)
        if runner.world_size == 1 or not self._begun or due:
            self._report(runner)

    def _report(self, runner: BaseRunner) -> None:
        met = [self._seen] * runner.world_size
        if runner.world_size > 1:
            dist.all_gather_object(met, self._seen, group=host_group())
        new = set().union(*met) - self._reported
        if new:
            runner.logger.warning(
                'deterministic: runs with the same seed may differ, since torch has no '
                'deterministic implementation here of %s. --deterministic strict makes that an '
                'error', ', '.join(sorted(new)))
        elif not self._begun:
            runner.logger.info('deterministic: every operator of the first iteration has a '
                               'deterministic implementation')
        self._reported |= new
        self._begun = True

    after_train_epoch = _report
