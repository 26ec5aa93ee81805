"""Scores that code of users puts into the log, as evaluation hooks in the style of 0.x do."""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmcv_replace.runner import BaseRunner

# Beside scores mmsegmentation's hooks log the number of batches.
NO_SCORES = ('eval_iter_num',)


@contextmanager
def logged_scores(runner: BaseRunner) -> Iterator[dict[str, Any]]:
    """What is put into the log inside the block, in place of putting it there.

    The dict is filled at the end of the block.
    """
    output, found = runner.log_buffer.output, {}
    former = dict(output)
    output.clear()
    try:
        yield found
    finally:
        found.update((name, value) for name, value in output.items() if name not in NO_SCORES)
        output.clear()
        output.update(former)
