"""Writes checkpoints while the training goes on."""
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from ...device import kind_of, synchronize
from ...utils.errors import CheckpointError, ConfigError
from .files import serialize_checkpoint, write_serialized

RULES = ('continue', 'stop')


class HostCopy:
    """Copies checkpoints into host memory that is reused for the next one.

    Tensors that share their memory, as tied weights do, share it in the copy.
    """

    def __init__(self) -> None:
        self._buffers: list[torch.Tensor] = []

    def take(self, checkpoint: dict[str, Any]) -> dict[str, Any]:
        """A serialized copy of the checkpoint, which later training steps do not change."""
        former, self._buffers = self._buffers, []
        copies: dict[tuple, torch.Tensor] = {}
        devices = set()

        def copy(tensor: torch.Tensor) -> torch.Tensor:
            tensor = tensor.detach()
            devices.add(tensor.device)
            memory = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
            if memory not in copies:
                reusable = former[len(self._buffers)] if len(self._buffers) < len(former) else None
                buffer = _buffer_for(tensor, reusable)
                self._buffers.append(buffer)
                copies[memory] = buffer.copy_(tensor, non_blocking=True)
            return copies[memory]

        content = serialize_checkpoint(checkpoint, copy)
        for device in devices:
            synchronize(device)
        return content


def _buffer_for(tensor: torch.Tensor, former: torch.Tensor | None) -> torch.Tensor:
    if former is not None and (former.shape, former.stride(), former.dtype) == (
            tensor.shape, tensor.stride(), tensor.dtype):
        return former
    # A copy from an accelerator is only asynchronous into page-locked memory.
    pinned = kind_of(tensor.device).pinned_memory
    return torch.empty_like(tensor, device='cpu', pin_memory=pinned)


class CheckpointSaver:
    """Writes one checkpoint at a time, in a background thread if `asynchronous`.

    `verify`: read each file again before it counts. A failed write is logged. With
    `on_error='continue'` the training then goes on, and the next checkpoint of the same kind makes
    up for it; with 'stop' the run ends. With either rule `finish` raises if the last write of any
    kind failed: a run does not end well without its last checkpoint.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.asynchronous = False
        self.verify = True
        self.on_error = 'continue'
        self._host_copy = HostCopy()
        self._thread: ThreadPoolExecutor | None = None
        # The write under way: its kind, its result, and whom to tell.
        self._write: tuple[str, Future, Callable[[bool], None] | None] | None = None
        self._failures: dict[str, CheckpointError] = {}  # the last write of each kind that failed

    def configure(self, asynchronous: bool, verify: bool, on_error: str) -> None:
        """Set the options; ConfigError for an unknown rule."""
        if on_error not in RULES:
            raise ConfigError(f'checkpoint_config.on_error={on_error!r}: choose '
                              f'{" or ".join(map(repr, RULES))}')
        self.asynchronous, self.verify, self.on_error = asynchronous, verify, on_error

    def save(self, checkpoint: dict[str, Any], path: Path, kind: str,
             after_write: Callable[[], None] | None = None,
             on_result: Callable[[bool], None] | None = None) -> None:
        """Write a checkpoint by the configured rule, once the write under way has ended.

        `kind`: which later checkpoints make up for this one if it cannot be written. `after_write`
        is called in the thread that writes, when the file is safely on the disk;
        `on_result(written)` in the training thread, by the next `poll`, `wait` or `finish`.
        """
        if not self.asynchronous:
            self.save_by(lambda: self._work(serialize_checkpoint(checkpoint), path, after_write),
                         kind, on_result)
            return
        self.wait()
        content = self._host_copy.take(checkpoint)
        self._thread = self._thread or ThreadPoolExecutor(1, 'checkpoint')
        self._write = kind, self._thread.submit(self._work, content, path, after_write), on_result

    def save_by(self, write: Callable[[], object], kind: str,
                on_result: Callable[[bool], None] | None = None) -> None:
        """Call `write`, which saves a checkpoint, in this thread, by the same rule for failures."""
        self.wait()
        result = Future()
        try:
            result.set_result(write())
        except CheckpointError as error:
            result.set_exception(error)
        self._write = kind, result, on_result

    def save_now(self, checkpoint: dict[str, Any], path: Path, kind: str,
                 after_write: Callable[[], None] | None = None) -> None:
        """Write a checkpoint in this thread; raises CheckpointError if that fails."""
        self.wait()
        self._work(serialize_checkpoint(checkpoint), path, after_write)
        self._failures.pop(kind, None)

    def _work(self, content: dict[str, Any], path: Path,
              after_write: Callable[[], None] | None) -> None:
        write_serialized(content, path, self.verify)
        try:
            if after_write is not None:
                after_write()
        except OSError as error:
            raise CheckpointError(f'{path} is written, but not all that follows: {error}; correct '
                                  'the permissions or choose another --work-dir') from error

    def poll(self) -> None:
        """Report a write that has ended meanwhile; CheckpointError if it failed, under 'stop'."""
        if self._write is not None and self._write[1].done():
            self.wait()

    def wait(self) -> None:
        """Wait until nothing is being written, and report like `poll`."""
        error = self._settle()
        if error is not None and self.on_error == 'stop':
            raise error

    def _settle(self) -> CheckpointError | None:
        if self._write is None:
            return None
        (kind, result, on_result), self._write = self._write, None
        try:
            result.result()
        except CheckpointError as error:
            self._failures[kind] = error
            self.logger.error('%s', error)
        else:
            self._failures.pop(kind, None)
        if on_result is not None:
            on_result(kind not in self._failures)
        return self._failures.get(kind)

    def finish(self) -> None:
        """Wait; CheckpointError if the last write of any kind of checkpoint failed."""
        self.wait()
        for error in self._failures.values():
            raise error

    def close(self) -> None:
        """Wait, log a failure without raising it, and release thread and memory."""
        self._settle()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self._host_copy = HostCopy()
