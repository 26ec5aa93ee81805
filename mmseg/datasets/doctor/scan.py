"""Examine many samples, in several processes."""
from collections.abc import Iterator, Sequence

import torch

from mmcv_replace.utils.error_origin import is_dead_worker
from mmcv_replace.utils.errors import UserError

from ..loader.workers import ShieldedLoader, start_worker
from .examine import Diagnosis, Examiner
from .findings import Sample
from .source import Source

CHUNK = 16  # samples that a process returns at once


def scan(sources: list[Source], samples: Sequence[Sample], nproc: int = 1) -> Iterator[Diagnosis]:
    """Diagnoses in the order of the samples; with nproc=1 this process makes them.

    Raises UserError where a process dies, for lack of memory for example.
    """
    loader = ShieldedLoader(
        Examiner(sources, samples), batch_size=CHUNK, num_workers=nproc if nproc > 1 else 0,
        collate_fn=list, worker_init_fn=start_worker,
        # A generator of its own: a scan before a training takes nothing from the global one.
        generator=torch.Generator())
    try:
        for chunk in loader:
            yield from chunk
    except RuntimeError as error:
        if not is_dead_worker(error):
            raise
        raise UserError(f'a process of the scan died, often for want of memory: use fewer than '
                        f'--nproc {nproc} ({str(error).splitlines()[0]})') from error
