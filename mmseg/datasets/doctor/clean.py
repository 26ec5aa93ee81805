"""Write the lists of a data set without the samples that have errors."""
import os
from pathlib import Path

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import ConfigError, DataError

from ..listing.file_list import unlistable
from .findings import Finding
from .report import Report


def plan_lists(report: Report, folder: str | Path) -> list[Path]:
    """The file for the cleaned list of each source: SPLIT.txt, SPLIT_0.txt and so on for several.

    Raises ConfigError where one of them would replace a list of the data set.
    """
    splits = [source.split for source in report.sources]
    files = [Path(folder, f'{split}_{splits[:number].count(split)}.txt'
                  if splits.count(split) > 1 else f'{split}.txt')
             for number, split in enumerate(splits)]
    originals = {os.path.realpath(source.dataset.split) for source in report.sources
                 if source.dataset.split is not None}
    for file in files:
        if os.path.realpath(file) in originals:
            raise ConfigError(f'--write-clean {folder} would replace the list {file} of the '
                              'dataset: choose another folder')
    return files


def write_lists(report: Report, files: list[Path]) -> list[str]:
    """Write the lists to the files of `plan_lists`; returns a line of text about each.

    Names that a list cannot hold (line breaks, blanks at the ends, bytes that are not UTF-8) are
    left out and become findings. Raises DataError where a file cannot be written.
    """
    bad = report.bad_samples()
    lines = []
    for number, (source, file) in enumerate(zip(report.sources, files, strict=True)):
        names = []
        for index in range(len(source)):
            if (number, index) in bad:
                continue
            lack = unlistable(source.dataset.img_infos[index], source.dataset.img_suffix)
            if lack:
                report.findings.append(Finding('unlistable', source.split,
                                               source.image_file(index), lack, (number, index)))
            else:
                names.append(source.name(index))
        try:
            with atomic_write(file, 'w') as stream:
                stream.writelines(f'{name}\n' for name in names)
        except OSError as error:
            raise DataError(f'cannot write the list {file}: {error.strerror or error}; give '
                            '--write-clean a folder that can be written') from error
        lines.append(f'{file.resolve()}: {len(names):,} of the {len(source):,} names of '
                     f'{source.split}')
    return lines
