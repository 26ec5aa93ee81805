"""The progress of a download on the terminal."""
from collections.abc import Iterator
from contextlib import contextmanager

from mmcv_replace.runner.checkpoints.download import Watch


@contextmanager
def watch_download() -> Iterator[Watch]:
    """What a download tells its progress, shown as a bar of bytes on a terminal."""
    from tqdm import tqdm
    with tqdm(unit='B', unit_scale=True, unit_divisor=1024, disable=None, leave=False) as bar:
        def watch(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield watch
