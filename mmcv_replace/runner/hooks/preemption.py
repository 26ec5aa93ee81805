"""Saves and exits when the job is preempted."""
from collections.abc import Sequence

from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook
from ..preemption import SIGNALS, StopRequest, StopVote
from .places import save_iteration

SAVED = 75  # EX_TEMPFAIL of sysexits.h: not a failure, to be restarted


@HOOKS.register_module()
class PreemptionHook(Hook):
    """After one of `signals` all processes finish their step, save, and exit with `exit_code`.

    The checkpoint, iter_N.pth, allows an exact resume. A second SIGINT ends the process at once. A
    running evaluation is finished first; a second signal cancels it, and a resume repeats it.
    """

    default_priority = 'LOWEST'  # after all other hooks of an iteration

    def __init__(self, signals: Sequence[str] = SIGNALS, exit_code: int = SAVED) -> None:
        self.exit_code = exit_code
        self._request = StopRequest(signals)
        self._leaving = False

    def listen(self) -> StopRequest:
        """Begin to listen for signals, if `before_run` has not done so yet."""
        self._request.listen()
        return self._request

    def before_run(self, runner: BaseRunner) -> None:
        self._vote = StopVote()
        self._first_iter = runner.finished_iters
        self.listen()
        self._leave_if_cut(runner)

    def _leave_if_cut(self, runner: BaseRunner) -> None:
        if self._request.cut:
            self._leave(runner)

    before_train_iter = after_train_epoch = _leave_if_cut

    def after_run(self, runner: BaseRunner) -> None:
        # Launchers signal the other processes, which are exiting too, once the first has exited.
        if not (self._leaving and runner.world_size > 1):
            self._request.stop_listening()

    def after_train_iter(self, runner: BaseRunner) -> None:
        self._leave_if_cut(runner)
        if runner.world_size == 1:
            stop = self._request.received is not None
        else:
            stop = self._vote.result()
        if self.is_last_iter(runner):
            return
        if stop:
            self._leave(runner)
        if runner.world_size > 1:
            self._vote.cast(self._request.received is not None)

    def _leave(self, runner: BaseRunner) -> None:
        trained = runner.finished_iters > self._first_iter
        kept = self._save(runner) if trained else 'before which this process has trained nothing'
        cause = self._request.received or 'a signal to another process'
        missed = '; it begins with the evaluation that was broken off' if self._request.cut else ''
        runner.logger.warning('%s: stopping after iteration %d, %s%s (exit code %d)', cause,
                              runner.finished_iters, kept, missed, self.exit_code)
        self._leaving = True
        raise SystemExit(self.exit_code)

    def _save(self, runner: BaseRunner) -> str:
        """Save the state of all processes, and return the result in words."""
        runner.collect_state(hooks=False)  # launchers kill soon
        saved = save_iteration(runner)
        return (f'saved as {saved}; the same command with --auto-resume goes on from there'
                if saved else 'not saved: there is no work_dir')


def listen_for_requests(runner: BaseRunner) -> StopRequest | None:
    """Let the run's PreemptionHook listen from now on; its request, or None without the hook."""
    return next((hook.listen() for hook in runner.hooks if isinstance(hook, PreemptionHook)), None)
