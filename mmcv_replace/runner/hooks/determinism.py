"""Which operators keep a run with a fixed seed from being repeatable."""
import re
import warnings

import torch.distributed as dist

from ..base_runner import BaseRunner
from ..dist_utils import host_group
from ..hook import HOOKS, Hook

# What torch says where its deterministic mode cannot help, and the operator's name in it.
_MESSAGES = (
    re.compile(r'(?P<name>.+) does not have a deterministic implementation'),
    re.compile(r'this operation is not deterministic because it uses (?P<name>CuBLAS)'),
    re.compile(r'(?P<name>.+) defaults to a non-deterministic algorithm'),
)


def nondeterministic_operator(message: str) -> str | None:
    """The operator that one of torch's messages calls not deterministic; None for other messages.

    CuBLAS stands for products of matrices where CUBLAS_WORKSPACE_CONFIG is not set.
    """
    found = next(filter(None, (pattern.search(message) for pattern in _MESSAGES)), None)
    return found and found['name']


@HOOKS.register_module()
class NondeterminismHook(Hook):
    """Names the operators that are not deterministic, once each, instead of torch's warnings.

    The first iteration ends with a list of those that any process has met; later ones (of an
    evaluation, say) are named when they are met, with several processes every `interval`
    iterations and at the end. For runs in torch's deterministic mode with `warn_only`.
    """

    default_priority = 'VERY_LOW'  # behind all that computes in an iteration

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._met: set[str] = set()
        self._told: set[str] = set()
        self._filters: warnings.catch_warnings | None = None
        self._begun = False

    def before_run(self, runner: BaseRunner) -> None:
        self._met, self._told, self._begun = set(), set(), False
        self._filters = warnings.catch_warnings()
        self._filters.__enter__()
        for pattern in _MESSAGES:
            # Python shows a message once for each place, also of a run that is over.
            warnings.filterwarnings('always', f'.*{pattern.pattern}')
        show = warnings.showwarning

        def note(message: Warning, *args: object, **kwargs: object) -> None:
            operator = nondeterministic_operator(str(message))
            if operator is None:
                show(message, *args, **kwargs)
            else:
                self._met.add(operator)

        warnings.showwarning = note

    def after_run(self, runner: BaseRunner) -> None:
        if self._filters is not None:
            self._filters.__exit__(None, None, None)
            self._filters = None

    def after_train_iter(self, runner: BaseRunner) -> None:
        due = self.every_n_iters(runner, self.interval) or self.is_last_iter(runner)
        if runner.world_size == 1 or not self._begun or due:
            self._tell(runner)

    def after_train_epoch(self, runner: BaseRunner) -> None:
        self._tell(runner)

    def _tell(self, runner: BaseRunner) -> None:
        new = self._met_by_all(runner) - self._told
        if new:
            runner.logger.warning(
                'deterministic: runs with the same seed may differ, since torch has no '
                'deterministic implementation here of %s. --deterministic strict makes that an '
                'error', ', '.join(sorted(new)))
        elif not self._begun:
            runner.logger.info('deterministic: every operator of the first iteration has a '
                               'deterministic implementation')
        self._told |= new
        self._begun = True

    def _met_by_all(self, runner: BaseRunner) -> set[str]:
        if runner.world_size == 1:
            return set(self._met)
        met: list[list[str]] = [[]] * runner.world_size
        dist.all_gather_object(met, sorted(self._met), group=host_group())
        return set().union(*met)
