"""The dataset doctor: a whole check for its command, a quick one at the start of a training."""
import os
from collections.abc import Mapping, Sequence

from torch.utils.data import Dataset

from mmcv_replace.fileio import dump
from mmcv_replace.utils import Config, track_iter_progress
from mmcv_replace.utils.errors import ConfigError, DataError, UserError
from mmseg.datasets.doctor import (
    Finding,
    Report,
    examine_all,
    format_report,
    open_report,
    plan_lists,
    write_lists,
)

from .datasets import SPLITS, build_split
from .idle_model import build_idle_model
from .labels.contract import label_clashes
from .settings import check_settings


def check_dataset(
    cfg: Config,
    splits: Sequence[str] | None = None,
    nproc: int | None = None,
    json_file: str | None = None,
    clean_dir: str | None = None,
    max_examples: int = 5,
) -> tuple[str, int]:
    """Check every sample of the config's datasets, by default those of all splits it has.

    Returns a text for the terminal and the exit code: 0, or 1 where there are errors. The full
    report goes to `json_file`; cleaned lists of the samples go to `clean_dir`.
    """
    check_settings(cfg)
    splits = splits or [split for split in SPLITS if split in cfg.data]
    if not splits:
        raise ConfigError('the config has no data to check: data.train, data.val and data.test are '
                          'absent')
    datasets = {split: build_split(cfg, split, may_lack_files=True)
                for split in dict.fromkeys(splits)}
    report = open_report(datasets)
    report.findings += find_clashes(cfg, datasets)
    lists = plan_lists(report, clean_dir) if clean_dir is not None else []
    examine_all(report, usable_cores() if nproc is None else nproc, track_iter_progress)
    written = write_lists(report, lists) if lists else []
    if json_file is not None:
        write_json(report, json_file)
    return '\n'.join([format_report(report, max(max_examples, 0)), *written]), report.exit_code


def find_clashes(cfg: Config, datasets: Mapping[str, Dataset]) -> list[Finding]:
    """What in the config would stop a training or a test because of its labels."""
    place, splits = str(cfg.filename or 'the config'), '/'.join(datasets)
    findings, model = [], None
    if cfg.get('model'):
        try:
            model = build_idle_model(cfg)
        except UserError as error:
            findings.append(Finding('not-checked', splits, place, 'its model cannot be built, so '
                                    f'heads and losses are not compared with the data: {error}'))
    return findings + [Finding('labels', splits, place, clash)
                       for clash in label_clashes(cfg, model, datasets)]


def write_json(report: Report, file: str) -> None:
    """Write the report; DataError where that is not possible."""
    try:
        dump(report.to_json(), file, file_format='json', indent=2)
    except OSError as error:
        raise DataError(f'cannot write the report {file}: {error.strerror or error}; name another '
                        'file with --json') from error


def usable_cores() -> int:
    """How many processes can compute at once here."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
