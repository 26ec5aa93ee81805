"""Checkpoints of a run, as later scripts of mmsegmentation 0.x look for them."""
import re
import warnings
from pathlib import Path


def find_latest_checkpoint(path: str | Path, suffix: str = 'pth') -> str | None:
    """The checkpoint in a folder to go on from: latest.pth, or that with the highest number.

    None where there is none; a folder that does not exist is warned of. The commands choose by the
    iteration in the files instead, see `--auto-resume`.
    """
    folder = Path(path)
    if not folder.is_dir():
        warnings.warn(f'{folder} is not a folder, so that no checkpoint is found', stacklevel=2)
        return None
    if (folder / f'latest.{suffix}').exists():
        return str(folder / f'latest.{suffix}')
    numbered = {int(match[1]): file for file in folder.glob(f'*.{suffix}')
                if (match := re.search(r'_(\d+)$', file.stem))}
    return str(numbered[max(numbered)]) if numbered else None
