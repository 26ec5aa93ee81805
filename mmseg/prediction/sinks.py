"""What is written of predictions, and threads that write it while the next ones are computed."""
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import Prediction, Sink
from mmseg.core.utils import write_deep_png, write_palette_png

# The file for a prediction; None where there is none for it.
Place = Callable[[Prediction], Path | None]


class WriteMasks(Sink):
    """Write label maps as PNGs with the colours `palette` [C, 3] RGB of the classes.

    Above 256 values, for which no palette has room, they are grey PNGs of 16 bits.
    """

    def __init__(self, place: Place, palette: np.ndarray | Sequence[Sequence[int]]) -> None:
        self._place = place
        self._palette = palette

    def add(self, prediction: Prediction) -> None:
        path = self._place(prediction)
        if path is None:
            return
        if prediction.seg_map.dtype == np.uint8:
            write_palette_png(path, prediction.seg_map, self._palette, sync=False)
        else:
            write_deep_png(path, prediction.seg_map, sync=False)


class WriteScores(Sink):
    """Write scores as float16 in .npz files: `kind` [C, H, W] or [H, W], and `classes`, names."""

    def __init__(self, place: Place, kind: str, names: Sequence[str]) -> None:
        self._place = place
        self._kind = kind
        self._names = np.array(names, dtype=np.str_)

    def add(self, prediction: Prediction) -> None:
        path = self._place(prediction)
        if path is not None:
            with atomic_write(path, sync=False) as file:
                np.savez_compressed(file, **{
                    self._kind: prediction.scores.astype(np.float16), 'classes': self._names})


class InThreads(Sink):
    """Sinks that work in threads, each prediction in one of them.

    Sinks in `then` get a prediction afterwards, in order and in the caller's thread. At most
    `ahead` predictions wait. Raises DataError for files that cannot be written.
    """

    def __init__(self, sinks: Sequence[Sink], then: Sequence[Sink], threads: int,
                 ahead: int) -> None:
        self._sinks, self._then = sinks, then
        self._ahead = ahead
        self._pool = ThreadPoolExecutor(threads)
        self._pending: deque[tuple[Prediction, Future[None]]] = deque()

    def add(self, prediction: Prediction) -> None:
        self._pending.append((prediction, self._pool.submit(self._work, prediction)))
        while len(self._pending) > self._ahead or (
                self._pending and self._pending[0][1].done()):
            self._settle()

    def _work(self, prediction: Prediction) -> None:
        for sink in self._sinks:
            try:
                sink.add(prediction)
            except OSError as error:  # of whatever file: all are in one folder
                raise unwritable(prediction.name, error) from error

    def _settle(self) -> None:
        prediction, work = self._pending.popleft()
        work.result()
        for sink in self._then:
            sink.add(prediction)

    def finish(self) -> None:
        while self._pending:
            self._settle()
        for sink in (*self._sinks, *self._then):
            sink.finish()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        for sink in (*self._sinks, *self._then):
            sink.close()


def unwritable(name: str, error: OSError) -> DataError:
    """What ends a prediction that cannot write what it found for an image."""
    return DataError(f'cannot write what was predicted for {name}: {error.strerror or error}; mend '
                     'that, and go on with --skip-existing')


class Tell(Sink):
    """Call a function with each prediction."""

    def __init__(self, function: Callable[[Prediction], object]) -> None:
        self.add = function
