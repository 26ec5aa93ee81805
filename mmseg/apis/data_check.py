"""The look at the data before a training: `data.check = 'quick'`, 'full' or 'off'."""
import logging
from collections.abc import Mapping

from torch.utils.data import Dataset

from mmcv_replace.runner.heartbeat import run_on_first_rank
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.suggest import did_you_mean, printable
from mmseg.datasets.doctor import (
    KINDS,
    UNLOADABLE,
    Finding,
    Report,
    examine_all,
    examine_some,
    open_report,
)
from mmseg.datasets.loader.skip_samples import read_on_error

Sample = tuple[int, int]

CHECKS = ('quick', 'full', 'off')
# Samples that the quick check looks at, spread evenly over a split.
QUICK = {'train': 64, 'val': 16}

logger = logging.getLogger('mmseg')


def check_training_data(cfg: Config, datasets: Mapping[str, Dataset]) -> None:
    """Raise DataError on every process where a data set cannot be used.

    `datasets`: that of the training as 'train', and that of the evaluation, if any, as 'val'.

    The first process looks, the others wait for it, however many samples there are. What does not
    stop a training is logged.
    """
    mode = cfg.data.get('check', 'quick')
    if mode not in CHECKS:
        raise ConfigError(f"data.check={mode!r}: choose {', '.join(map(repr, CHECKS))}"
                          f'{did_you_mean(mode, CHECKS)}')
    if mode != 'off':
        run_on_first_rank(lambda: _check(cfg, datasets, mode), 'the data check', DataError)


def _check(cfg: Config, datasets: Mapping[str, Dataset], mode: str) -> None:
    report = open_report(datasets)
    if mode == 'quick':
        examine_some(report, QUICK)
    else:
        examine_all(report, cfg.data.get('workers_per_gpu', 0))
    skipped = _skipped(report, read_on_error(cfg.data.get('on_error')))
    stopping = [kind for kind in KINDS if any(
        _stops(finding, skipped) for finding in report.of_kind(kind))]
    samples = ', '.join(f'{split} {count:,}' for split, count in report.samples.items())
    logger.info('Data check (%s): samples looked at: %s, in %.1f s', mode, samples, report.seconds)
    for kind in KINDS:
        if kind not in stopping and KINDS[kind].severity != 'info' and report.of_kind(kind):
            logger.warning('Data check: %s', _describe(report, kind))
    if stopping:
        told = '\n'.join(_describe(report, kind) for kind in stopping)
        raise DataError(f'{told}\npython tools/check_dataset.py {cfg.filename or "CONFIG"} lists '
                        'everything that is wrong with the data, and --write-clean DIR writes '
                        "lists without it; data.check='off' trains regardless")


def _stops(finding: Finding, skipped: set[Sample]) -> bool:
    # Training on the images of the validation may be meant, as a trial of the whole chain.
    return (KINDS[finding.kind].severity == 'error' and finding.kind != 'leak'
            and not (finding.kind in UNLOADABLE and finding.sample in skipped))


def _skipped(report: Report, most: int | None) -> set[Sample]:
    """The training samples that the run will skip; an evaluation skips none.

    Empty where there are more of them than the `most` that it may, or no others: such a run ends.
    """
    bad = {finding.sample for finding in report.findings
           if finding.split == 'train' and finding.kind in UNLOADABLE}
    files = {finding.file for finding in report.findings
             if finding.split == 'train' and finding.kind in UNLOADABLE}
    too_many = most is None or len(files) > most or len(bad) >= report.samples['train']
    return set() if too_many else bad


def _describe(report: Report, kind: str) -> str:
    findings = report.of_kind(kind)
    first = findings[0]
    detail = f': {first.detail}' if first.detail else ''
    remedy = report.remedy(kind)
    return (f'{KINDS[kind].title}: {len(findings):,}, first {printable(first.file + detail)} '
            f'({first.split})' + (f'; {remedy}' if remedy else ''))
