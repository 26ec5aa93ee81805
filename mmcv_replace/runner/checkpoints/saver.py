"""Checkpoints that are written while the training goes on."""
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from ...device import supports_pinned_memory, synchronize
from ...utils.errors import CheckpointError, ConfigError
from .files import plain_checkpoint, write_plain

RULES = ('continue', 'stop')


class HostCopy:
    """Copies checkpoints into host memory that is used again each time.

    Tensors that share their memory, as tied weights do, share it in the copy.
    """

    def __init__(self) -> None:
        self._buffers: list[torch.Tensor] = []

    def take(self, checkpoint: dict[str, Any]) -> dict[str, Any]:
        """The checkpoint as plain data that later changes of its tensors leave alone."""
        former, self._buffers = self._buffers, []
        copies: dict[tuple, torch.Tensor] = {}
        devices = set()

        def copy(tensor: torch.Tensor) -> torch.Tensor:
            tensor = tensor.detach()
            devices.add(tensor.device)
            place = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
            if place not in copies:
                reusable = former[len(self._buffers)] if len(self._buffers) < len(former) else None
                buffer = _buffer_for(tensor, reusable)
                self._buffers.append(buffer)
                copies[place] = buffer.copy_(tensor, non_blocking=True)
            return copies[place]

        plain = plain_checkpoint(checkpoint, copy)
        for device in devices:
            synchronize(device)
        return plain


def _buffer_for(tensor: torch.Tensor, former: torch.Tensor | None) -> torch.Tensor:
    if former is not None and (former.shape, former.stride(), former.dtype) == (
            tensor.shape, tensor.stride(), tensor.dtype):
        return former
    # A copy from an accelerator is only asynchronous into page-locked memory.
    pinned = tensor.device.type != 'cpu' and supports_pinned_memory(tensor.device)
    return torch.empty_like(tensor, device='cpu', pin_memory=pinned)


class CheckpointSaver:
    """Writes one checkpoint at a time; if `asynchronous`, in a thread of its own.

    `verify`: read each file again before it counts. A write that fails is reported; then with
    `on_error='continue'` the training goes on, and the next checkpoint is a new attempt, with
    'stop' it ends. `finish` raises when the last attempt of its kind has failed: with either rule
    a run does not end well without its last checkpoint.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.asynchronous = False
        self.verify = True
        self.on_error = 'continue'
        self._host_copy = HostCopy()
        self._thread: ThreadPoolExecutor | None = None
        self._write: Future | None = None
        self._kind = ''
        self._settled: Callable[[bool], None] | None = None
        self._failures: dict[str, CheckpointError] = {}

    def configure(self, asynchronous: bool, verify: bool, on_error: str) -> None:
        """Set the options; ConfigError for an unknown rule."""
        if on_error not in RULES:
            raise ConfigError(f'checkpoint_config.on_error={on_error!r}: choose '
                              f'{" or ".join(map(repr, RULES))}')
        self.asynchronous, self.verify, self.on_error = asynchronous, verify, on_error

    def save(self, checkpoint: dict[str, Any], path: Path,
             afterwards: Callable[[], None] | None = None,
             settled: Callable[[bool], None] | None = None, kind: str | None = None) -> None:
        """Write a checkpoint, then call `afterwards`; both in the thread if there is one.

        `settled` is called by the next `poll`, `wait` or `finish` after that, with whether all
        went well.
        """
        self.wait()
        if self.asynchronous:
            plain = self._host_copy.take(checkpoint)
            self._thread = self._thread or ThreadPoolExecutor(1, 'checkpoint')
            write = self._thread.submit(self._work, plain, path, afterwards)
        else:
            plain = plain_checkpoint(checkpoint)
            write = Future()
            try:
                write.set_result(self._work(plain, path, afterwards))
            except CheckpointError as error:
                write.set_exception(error)
        self._write, self._kind, self._settled = write, kind or _kind(path), settled

    def save_now(self, checkpoint: dict[str, Any], path: Path,
                 afterwards: Callable[[], None] | None = None) -> None:
        """Write a checkpoint in this thread; a failure is raised whatever the rule."""
        self.wait()
        self._work(plain_checkpoint(checkpoint), path, afterwards)
        self._failures.pop(_kind(path), None)

    def _work(self, plain: dict[str, Any], path: Path,
              afterwards: Callable[[], None] | None) -> None:
        write_plain(plain, path, self.verify)
        try:
            if afterwards is not None:
                afterwards()
        except OSError as error:
            raise CheckpointError(f'{path} is written, but not all that follows: {error}; mend the '
                                  'permissions or choose another --work-dir') from error

    def poll(self) -> None:
        """Report a write that has failed meanwhile; CheckpointError if the rule is 'stop'."""
        if self._write is not None and self._write.done():
            self.wait()

    def wait(self) -> None:
        """Wait until nothing is being written; otherwise as `poll`."""
        error = self._settle()
        if error is not None and self.on_error == 'stop':
            raise error

    def _settle(self) -> CheckpointError | None:
        if self._write is None:
            return None
        write, self._write = self._write, None
        kind = self._kind
        try:
            write.result()
        except CheckpointError as error:
            self._failures[kind] = error
            self.logger.error('%s', error)
        else:
            self._failures.pop(kind, None)
        if self._settled is not None:
            self._settled(kind not in self._failures)
        return self._failures.get(kind)

    def finish(self) -> None:
        """Wait; CheckpointError when the last attempt to write some kind of checkpoint failed."""
        self.wait()
        for error in self._failures.values():
            raise error

    def close(self) -> None:
        """Wait, report a failure without raising it, and release thread and memory."""
        self._settle()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self._host_copy = HostCopy()


def _kind(path: Path) -> str:
    """The name with {} for its number, the last in it: other digits tell names apart."""
    return re.sub(r'\d+(?=\D*$)', '{}', path.name)
