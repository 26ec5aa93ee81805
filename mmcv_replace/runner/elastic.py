"""torchrun, with the exit code of its processes where they were told to stop and have saved.

torchrun itself leaves with 1 whatever its processes left with, and a scheduler cannot tell a job
that is to be started again from one that has failed. tools/dist_*.sh and test/train_*.sh run this
file in its place, with the same arguments.
"""
import signal
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher import api

SAVED = 75  # of PreemptionHook; EX_TEMPFAIL of sysexits.h
INTERRUPTED = 128 + signal.SIGINT  # as shells and our commands say it


class _Agent(api.LocalElasticAgent):
    """torchrun's, which can be asked afterwards how its processes ended."""

    last: '_Agent | None' = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _Agent.last = self

    def has_saved(self) -> bool:
        """Whether the processes that were started last have saved; False if torch does not tell.

        They leave together, after the save. When the first has left, torchrun ends the others by
        signals, which may come when they listen no longer; their codes are then negative.
        """
        handlers = getattr(getattr(self, '_pcontext', None), 'subprocess_handlers', {})
        codes = {handler.proc.returncode for handler in handlers.values()}
        return SAVED in codes and all(code is not None and (code == SAVED or code < 0)
                                      for code in codes)


def main() -> int:
    """Run torchrun on the arguments of the command line; 75 where its processes left with it.

    Ctrl-C is told in one line; everything else ends as it does under torchrun.
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
