"""What a test job does with its predictions."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import is_own_anywhere


@dataclass(frozen=True)
class OutputOptions:
    """What to do with the predictions; at least one of the first five is needed."""

    metrics: Sequence[str] = ()  # names for `evaluate` of the data set
    out: str | None = None  # pickle file for the list of segmentation maps
    # Files for a test server, in eval_options['out_dir'], by default a folder in the work dir.
    format_only: bool = False
    show: bool = False  # show overlays on the screen
    show_dir: str | None = None  # write overlays to this folder
    opacity: float = 0.5  # of the classes' colours in overlays, in (0, 1]
    show_legend: bool = False  # names and colours of the classes beside each overlay
    aug_test: bool = False  # scales 0.5 to 1.75, each with its mirror image
    eval_options: Mapping[str, object] = field(default_factory=dict)  # for the data set's method
    tmpdir: str | None = None  # see `collect_results`
    gpu_collect: bool = False
    work_dir: str | None = None  # folder for eval_TIMESTAMP.json

    def __post_init__(self) -> None:
        if not (self.metrics or self.out or self.format_only or self.show or self.show_dir):
            raise ConfigError('say what to do with the predictions: --eval mIoU, --out FILE.pkl, '
                              '--format-only, --show or --show-dir DIR')
        if self.show_legend and not (self.show or self.show_dir):
            raise ConfigError('--show-legend is a part of painted pictures: give --show-dir DIR or '
                              '--show too')
        if self.metrics and self.format_only:
            raise ConfigError('--eval needs annotations and --format-only is for data without '
                              'them: give one of the two')
        if self.out is not None and Path(self.out).suffix not in ('.pkl', '.pickle'):
            raise ConfigError(f'--out {self.out!r}: predictions are written as .pkl or .pickle; '
                              'scores go to --work-dir')


def split_options(options: OutputOptions, dataset: Dataset,
                  folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The arguments in `eval_options` for `evaluate` of a data set, and for `format_results`.

    The latter have an `out_dir`, by default `folder`, or are empty where no files are to be
    written. As in 0.x, `imgfile_prefix` is another name of it, and writes files beside the scores.
    Raises ConfigError where both names are given.
    """
    given = dict(options.eval_options)
    own = options.metrics and is_own_anywhere(dataset, 'evaluate')
    prefix = None if own else given.pop('imgfile_prefix', None)
    if prefix is None:
        return given, {'out_dir': str(folder), **given} if options.format_only else {}
    if 'out_dir' in given:
        raise ConfigError('--eval-options out_dir=... and imgfile_prefix=... are names of one '
                          'thing, the folder for files for a test server: give one of them')
    files = given if options.format_only else {}
    return given, {'out_dir': str(prefix), **files}
