"""A measured process: start it, send it requests, and report why it ended."""
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mmseg
from mmcv_replace.utils.errors import ConfigError

ROOT = Path(mmseg.__file__).resolve().parents[1]
REFERENCE = ROOT / 'test' / 'reference'
HARNESS = Path(__file__).with_name('harness.py')
# Prefixes of variables for threads and allocators, which no subject inherits.
TUNING = ('OMP_', 'KMP_', 'GOMP_', 'MKL_', 'MALLOC_', 'GLIBC_TUNABLES')
ERROR_LINES = 12


class Subject:
    """The process of one subject, with a label for the report.

    `command` runs the loop of `harness`; its error output goes to the file `log`.
    """

    def __init__(self, key: str, label: str, command: list[str], log: Path,
                 environment: Mapping[str, str]) -> None:
        self.key = key
        self.label = label
        self.about: dict[str, Any] = {}
        self._log = log
        try:
            with log.open('wb') as errors:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    env=dict(environment), text=True, encoding='utf-8')
        except OSError as error:
            raise ConfigError(f'{label}: {command[0]} cannot be started ({error.strerror}); name '
                              'the Python of an environment, such as .../bin/python') from error

    def start(self, case: str, options: Mapping[str, Any]) -> None:
        """Have the process prepare its work; sets `about`, and `label` where it has a name."""
        self.about = self.ask('start', case=case, options=options)
        self.label = self.about.get('name', self.label)

    def ask(self, call: str, **arguments: Any) -> Any:
        """Send a request and return the answer.

        ConfigError with the end of the error output where the process ended, or its first line
        where that is no JSON.
        """
        try:
            self._process.stdin.write(json.dumps({'call': call, **arguments}) + '\n')
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended(call) from None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended(call)
        try:
            return json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigError(f'{self.label} answered {line.strip()[:80]!r}, which is not JSON: '
                              'does something in its environment print at its start '
                              '(sitecustomize)?') from error

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):  # it may have ended already
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _ended(self, call: str) -> ConfigError:
        code = self._process.wait()
        words = self._log.read_text(encoding='utf-8', errors='replace').strip().splitlines()
        killed = ' (killed: was there too little memory?)' if code == -9 else ''
        return ConfigError(f'{self.label} ended with exit code {code}{killed} when asked to '
                           f'{call}:\n' + '\n'.join(words[-ERROR_LINES:]))


def subject_commands(plain: bool, peers: Sequence[str]) -> dict[str, list[str]]:
    """Command lines by kind of subject: 'own', 'plain', 'peer1' ...; `peers` are interpreters.

    ConfigError where a file is missing, so that it is found before any work.
    """
    # A file rather than -m, which would import from the current folder first.
    commands = {'own': [sys.executable, str(Path(__file__).with_name('own.py'))]}
    if plain:
        commands['plain'] = [sys.executable, str(HARNESS),
                             str(_reference('plain_worker.py', '--no-plain'))]
    for number, python in enumerate(peers, start=1):
        if not Path(python).is_file():
            raise ConfigError(f'--peer-python {python}: there is no such file; name the Python of '
                              'the environment that holds the peer, such as /envs/peer/bin/python')
        worker = _reference('peer_worker.py', 'no --peer-python')
        commands[f'peer{number}'] = [python, str(HARNESS), str(worker)]
    return commands


def _reference(name: str, remedy: str) -> Path:
    file = REFERENCE / name
    if not file.is_file():
        raise ConfigError(f'{file} is absent: the forms to compare with are in the repository, not '
                          f'in an installed package; run in a clone, or with {remedy}')
    return file


def environment(threads: int | None, subject: str) -> dict[str, str]:
    """Environment of a subject, 'own', 'plain' or a peer: that of this process without TUNING.

    `threads` sets OMP_NUM_THREADS.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(TUNING)}
    paths = kept.pop('PYTHONPATH', None)
    if subject == 'own':
        paths = os.pathsep.join(filter(None, [str(ROOT), paths]))
    # In a peer's environment `mmseg` must be the peer's.
    if subject in ('own', 'plain') and paths:
        kept['PYTHONPATH'] = paths
    if threads is not None:
        kept['OMP_NUM_THREADS'] = str(threads)
    return kept
