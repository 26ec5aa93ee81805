"""The data check before a training: `data.check` = 'quick', 'full' or 'off'."""
import logging
from collections.abc import Mapping
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.fileio import dump
from mmcv_replace.runner.heartbeat import run_on_first_rank
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import printable
from mmseg.datasets import doctor
from mmseg.datasets.doctor import KINDS, UNLOADABLE, Finding, Report
from mmseg.datasets.settings import DataSettings
from mmseg.report.names import QUICK_CHECK

Sample = tuple[int, int]

# Number of samples of the quick check, spread evenly over a split.
QUICK = {'train': 64, 'val': 16}

logger = logging.getLogger('mmseg')


def check_training_data(cfg: Config, datasets: Mapping[str, Dataset],
                        folder: str | Path | None = None) -> None:
    """Raise DataError on every process if a data set cannot be used; log lesser findings.

    `datasets`: 'train', and 'val' if the training is evaluated. The first process checks while the
    others wait, without a time-out. What it finds is kept in `folder`, for reports.
    """
    settings = read_section(DataSettings, cfg.data, 'data')
    if settings.check != 'off':
        run_on_first_rank(lambda: _check(cfg, settings, datasets, folder), 'the data check',
                          DataError)


def _check(cfg: Config, settings: DataSettings, datasets: Mapping[str, Dataset],
           folder: str | Path | None) -> None:
    report = doctor.open_report(datasets)
    if settings.check == 'quick':
        doctor.examine_some(report, QUICK)
    else:
        doctor.examine_all(report, settings.workers_per_gpu)
    if folder is not None:
        _write(report, settings.check, Path(folder, QUICK_CHECK))
    skipped = _skipped(report, settings.max_skipped)
    stopping = [kind for kind in KINDS if any(
        _stops(finding, skipped) for finding in report.of_kind(kind))]
    samples = ', '.join(f'{split} {count:,}' for split, count in report.samples.items())
    logger.info('Data check (%s): samples looked at: %s, in %.1f s', settings.check, samples,
                report.seconds)
    for kind in KINDS:
        if kind not in stopping and KINDS[kind].severity != 'info' and report.of_kind(kind):
            logger.warning('Data check: %s', _describe(report, kind))
    if stopping:
        errors = '\n'.join(_describe(report, kind) for kind in stopping)
        raise DataError(f'{errors}\npython tools/check_dataset.py {cfg.filename or "CONFIG"} lists '
                        'everything that is wrong with the data, and --write-clean DIR writes '
                        "lists without it; data.check='off' trains regardless")


def _write(report: Report, check: str, file: Path) -> None:
    """Keep what was found, for reports."""
    try:
        dump({'check': check, **report.to_json()}, str(file), file_format='json')
    except OSError as error:  # the training can do without
        logger.warning('cannot write %s: %s', file, error)


def _stops(finding: Finding, skipped: set[Sample]) -> bool:
    # A user may train on the validation images on purpose, to try out the whole process.
    return (KINDS[finding.kind].severity == 'error' and finding.kind != 'leak'
            and not (finding.kind in UNLOADABLE and finding.sample in skipped))


def _skipped(report: Report, most: int | None) -> set[Sample]:
    """The damaged training samples that the run will skip; an evaluation skips none.

    Empty if their files are more than `most`, or no other samples are left: such a run would end.
    """
    bad = [finding for finding in report.findings
           if finding.split == 'train' and finding.kind in UNLOADABLE]
    samples, files = {finding.sample for finding in bad}, {finding.file for finding in bad}
    too_many = most is None or len(files) > most or len(samples) >= report.samples['train']
    return set() if too_many else samples


def _describe(report: Report, kind: str) -> str:
    findings = report.of_kind(kind)
    first = findings[0]
    detail = f': {first.detail}' if first.detail else ''
    remedy = report.remedy(kind)
    return (f'{KINDS[kind].title}: {len(findings):,}, first {printable(first.file + detail)} '
            f'({first.split})' + (f'; {remedy}' if remedy else ''))
