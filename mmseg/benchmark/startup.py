"""`startup`: from the start of the process until the model of tools/test.py is built."""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from .computing import prepared_config
from .plain import plain_options
from .section import Section
from .subject import environment


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """Whole processes, from the files of the config."""
    cfg = prepared_config(args)
    return [Section(
        title=f'start: interpreter, imports, config and model of tools/test.py, '
              f'{Path(args.config).stem}',
        case='startup', options={'config': str(Path(args.config).resolve())}, unit='start',
        images=0, resident=False,
        plain={'network': plain_options(cfg)['network']} if args.plain else None)]


class StartupCase:
    """Starts `startup_probe` in a process of its own."""

    about: dict[str, object] = {}

    def __init__(self, config: str) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name('startup_probe.py')), config]
        # Without the settings that this process has made for itself.
        self._environment = environment(None, 'own')

    def check(self) -> dict[str, np.ndarray]:
        """Number of values in the model's state."""
        done = subprocess.run(self._command, check=True, stdout=subprocess.PIPE, text=True,
                              env=self._environment)
        return {'values': np.array(int(done.stdout))}

    def round(self) -> float:
        """Seconds of one process."""
        start = time.perf_counter()
        subprocess.run(self._command, check=True, stdout=subprocess.DEVNULL,
                       env=self._environment)
        return time.perf_counter() - start
