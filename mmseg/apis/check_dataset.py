"""`tools/check_dataset.py`: a check of every sample, with a report and cleaned lists."""
from collections.abc import Mapping, Sequence

from torch.utils.data import Dataset

from mmcv_replace.fileio import dump
from mmcv_replace.host import usable_cores
from mmcv_replace.utils import Config, track_iter_progress
from mmcv_replace.utils.errors import ConfigError, DataError, UserError
from mmseg.datasets import doctor

from .datasets import SPLITS, build_split
from .labels.contract import label_clashes
from .model import build_model_to_inspect
from .own.data import config_text, trying_own_data
from .settings import check_settings


def check_dataset(cfg: Config, splits: Sequence[str] | None = None, nproc: int | None = None,
                  json_file: str | None = None, clean_dir: str | None = None,
                  max_examples: int = 5, statistics: bool = False) -> tuple[str, int]:
    """Check every sample of the data sets `splits`, by default of all that the config has.

    Returns a text for the terminal and the exit code: 1 if errors were found, otherwise 0. The full
    report is written to `json_file`, lists of the sound samples to `clean_dir`. `nproc`: number of
    processes, by default one for each core. `statistics` adds mean and standard deviation of the
    bands of the training images; then the exit code is 1, too, where some cannot be counted. With
    `own_data` the text begins with the plan for them and the config that follows.
    """
    check_settings(cfg)
    nproc = usable_cores() if nproc is None else nproc
    with trying_own_data(cfg, nproc=nproc, progress=track_iter_progress) as plan:
        text, code = _check(cfg, splits, nproc, json_file, clean_dir, max_examples, statistics)
        if plan is not None:
            text = f'{plan.text}\n\n{config_text(cfg, plan)}\n{text}'
    return text, code


def _check(cfg: Config, splits: Sequence[str] | None, nproc: int, json_file: str | None,
           clean_dir: str | None, max_examples: int, statistics: bool) -> tuple[str, int]:
    splits = splits or [split for split in SPLITS if split in cfg.data]
    if not splits:
        raise ConfigError('the config has no data to check: data.train, data.val and data.test are '
                          'absent')
    if statistics and 'train' not in splits:
        raise ConfigError('--statistics is of the training images: '
                          + ('add train to --split' if 'train' in cfg.data
                             else 'the config has no data.train'))
    datasets = {split: build_split(cfg, split, may_lack_files=True)
                for split in dict.fromkeys(splits)}
    report = doctor.open_report(datasets)
    report.findings += find_clashes(cfg, datasets)
    lists = doctor.plan_lists(report, clean_dir) if clean_dir is not None else []
    doctor.examine_all(report, nproc, track_iter_progress)
    if statistics:
        report.statistics = doctor.measure(datasets['train'], nproc, track_iter_progress)
    written = [*doctor.write_lists(report, lists), *doctor.tell_lists(cfg, report, lists)
               ] if lists else []
    if json_file is not None:
        write_json(report, json_file)
    text = doctor.format_report(report, max(max_examples, 0))
    return '\n'.join([text, *written]), report.exit_code


def find_clashes(cfg: Config, datasets: Mapping[str, Dataset]) -> list[doctor.Finding]:
    """Differences in the meaning of labels that would stop a training or a test."""
    place, splits = str(cfg.filename or 'the config'), '/'.join(datasets)
    findings, model = [], None
    if cfg.get('model'):
        try:
            model = build_model_to_inspect(cfg)
        except UserError as error:
            findings.append(doctor.Finding(
                'not-checked', splits, place, 'its model cannot be built, so heads and losses are '
                f'not compared with the data: {error}'))
    return findings + [doctor.Finding('labels', splits, place, clash)
                       for clash in label_clashes(cfg, model, datasets)]


def write_json(report: doctor.Report, file: str) -> None:
    """Write the report as JSON; raises DataError if the file cannot be written."""
    try:
        dump(report.to_json(), file, file_format='json', indent=2)
    except OSError as error:
        raise DataError(f'cannot write the report {file}: {error.strerror or error}; name another '
                        'file with --json') from error
