"""The seed from which the samples of a training follow."""
from pathlib import Path

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.path import matching_files
from mmseg.report.log_file import PATTERN, read_log

from ..cli import work_dir_of


def find_seed(cfg: Config, given: int | None) -> tuple[int, str]:
    """A seed, and where it is from: the option, the config, or the newest run in the work dir."""
    if given is not None:
        return given, ''
    if cfg.get('seed') is not None:
        return cfg.seed, ' (of the config)'
    for log in reversed(matching_files(work_dir_of(cfg), PATTERN)):
        seed = _seed_in(log)
        if seed is not None:
            return seed, f' (of the run {log})'
    return 0, ('; the config sets none, so that each training draws its own: its log has the line '
               '"Seed: N", for --seed N')


def _seed_in(log: Path) -> int | None:
    """The seed in a log; None where it has none, or cannot be read."""
    try:
        seed = read_log(log).meta.get('seed')
    except DataError:
        return None
    return seed if isinstance(seed, int) else None
