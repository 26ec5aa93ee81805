"""`startup`: from the start of the process until the model of tools/test.py is built."""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from .plain import plain_options
from .section import Section
from .steps import prepared_config
from .subject import environment


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """Whole processes that read the config file."""
    cfg = prepared_config(args)
    return [Section(
        title=f'start: interpreter, imports, config and model of tools/test.py, '
              f'{Path(args.config).stem}',
        case='startup', options={'config': str(Path(args.config).resolve())}, unit='start',
        images=0, resident=False,
        plain={'network': plain_options(cfg)['network']} if args.plain else None)]


class StartupCase:
    """Runs `startup_probe` in a new process."""

    def __init__(self, config: str) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name('startup_probe.py')), config]
        # Without the thread settings of this process.
        self._environment = environment(None, 'own')

    def _run(self) -> str:
        return subprocess.run(self._command, check=True, stdout=subprocess.PIPE, text=True,
                              env=self._environment).stdout

    def check(self) -> dict[str, np.ndarray]:
        """Number of values in the model's state."""
        return {'values': np.array(int(self._run()))}

    def round(self) -> float:
        """Seconds of one process."""
        start = time.perf_counter()
        self._run()
        return time.perf_counter() - start
