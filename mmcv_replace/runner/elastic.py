"""torchrun that passes on the exit code of processes which saved a checkpoint when preempted.

torchrun itself exits with 1 for any failure of its processes, so that a scheduler cannot
distinguish a preempted job, which is to be restarted, from a failed one. tools/dist_*.sh and
test/train_*.sh run this file in its place, with the same arguments.
"""
import signal
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher import api

SAVED = 75  # of PreemptionHook; EX_TEMPFAIL of sysexits.h
INTERRUPTED = 128 + signal.SIGINT  # the convention of shells


class _Agent(api.LocalElasticAgent):
    """torchrun's agent, which remembers how its processes ended."""

    last: '_Agent | None' = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _Agent.last = self

    def has_saved(self) -> bool:
        """Whether the last processes exited after a save; False if torch does not expose it.

        They exit together. Once the first has, torchrun ends the others by signals, which may come
        when their handlers are removed; their exit codes are then negative.
        """
        handlers = getattr(getattr(self, '_pcontext', None), 'subprocess_handlers', {})
        codes = {handler.proc.returncode for handler in handlers.values()}
        return SAVED in codes and all(code is not None and (code == SAVED or code < 0)
                                      for code in codes)


def main() -> int:
    """Run torchrun on the command line; returns 75 if its processes exited with that.

    Ctrl-C prints one line; everything else ends as under torchrun.
    """
    api.LocalElasticAgent = _Agent
    try:
        run.main()
    except (ChildFailedError, SignalException) as error:
        if _Agent.last is not None and _Agent.last.has_saved():
            return SAVED
        if getattr(error, 'sigval', None) == signal.SIGINT:
            sys.stderr.write('\ninterrupted\n')
            return INTERRUPTED
        raise
    return 0


if __name__ == '__main__':
    sys.exit(main())
