"""From a config to a page, PNGs or windows with samples of one of its data sets."""
from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.host import usable_cores
from mmcv_replace.utils import Config, track_iter_progress
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import printable
from mmseg.core.utils import nested_datasets
from mmseg.datasets.settings import DataSettings
from mmseg.datasets.tracing import Trace, skip_steps, trace_sample
from mmseg.visualization import encode_picture, show_window

from ..cli import work_dir_of
from ..datasets import build_split
from ..own.data import trying_own_data
from ..settings import check_settings
from .cards import Painter
from .describe import describe_error
from .options import BrowseOptions
from .page import BrowsePage
from .seed import find_seed
from .sheet import draw_sheet, sheet_name

MOST_FAILED = 20  # that are listed


def browse_dataset(cfg: Config, options: BrowseOptions) -> tuple[str, int]:
    """Show samples of `data[options.split]` before and after each step of their pipelines.

    The samples are those that a training loads at the same seed, epoch and index. Returns a text
    for the terminal and the exit code: 1 where samples could not be loaded, otherwise 0.
    """
    check_settings(cfg)
    with trying_own_data(cfg, nproc=usable_cores(), progress=track_iter_progress):
        dataset = build_split(cfg, options.split, may_lack_files=True)
        indices = options.choose(dataset)
        if options.skip_types:
            skip_steps(dataset, options.skip_types)
        painter = Painter(dataset, options)
        seed, origin = find_seed(cfg, options.seed)
        folder = Path(options.output_dir or Path(work_dir_of(cfg), 'browse'))
        if options.page or options.png:
            _make_folder(folder / options.split if options.png else folder)
        page = BrowsePage(_title(cfg, options), _facts(cfg, options, dataset, f'{seed}{origin}'),
                          painter) if options.page else None
        failed: list[str] = []
        sheets = 0
        for index in track_iter_progress(indices):
            traces = [trace_sample(dataset, seed, epoch, index) for epoch in options.epochs]
            failed += [_failure(trace) for trace in traces if trace.error is not None]
            if page is not None:
                page.add(traces)
            for trace in traces:
                sheets += _show(painter, trace, folder / options.split)
    lines = []
    if page is not None:
        file = folder / f'{options.split}.html'
        page.page.write(file)
        lines.append(f'{file}: {_number(len(indices), "sample")}, '
                     f'{file.stat().st_size / 1e6:.1f} MB; open it in a browser')
    if sheets:
        lines.append(f'{folder / options.split}: {_number(sheets, "picture")}')
    return '\n'.join([*lines, *_list_failed(failed)]), 1 if failed else 0


def _make_folder(folder: Path) -> None:
    """Make the folder of the results, before samples are loaded for them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f'cannot make the folder {folder}: {error.strerror or error}; name another '
                        'one with --output-dir') from error


def _show(painter: Painter, trace: Trace, folder: Path) -> int:
    """Show a sample in a window, and write its picture, where this is asked for; returns how many
    were written.
    """
    options = painter.options
    if not (options.png or options.show):
        return 0
    sheet = draw_sheet(painter, trace)
    if options.png:
        file = folder / sheet_name(trace)
        try:
            file.write_bytes(encode_picture(sheet))
        except OSError as error:
            raise DataError(f'cannot write {file}: {error.strerror or error}') from error
    if options.show:
        show_window(sheet, f'{trace.index} {trace.file or ""}', options.show_interval,
                    'leave --show out: the page shows the same, and --png writes pictures')
    return int(options.png)


def _title(cfg: Config, options: BrowseOptions) -> str:
    name = Path(cfg.filename).stem if cfg.filename else 'config'
    return f'Samples of data.{options.split} of {name}'


def _facts(cfg: Config, options: BrowseOptions, dataset: Dataset, seed: str) -> dict[str, str]:
    """What the head of the page says."""
    facts = {
        'config': str(cfg.filename or '-'),
        'data set': ' of '.join(type(part).__name__ for part in _chain(dataset)),
        'samples': f'{len(dataset):,}',
        'seed': seed,
        'epoch': ', '.join(map(str, options.epochs)) + ', counted from 0',
        'in pixels': 'sizes, width x height, and places, from the top and the left'}
    if options.split == 'train' and read_section(
            DataSettings, cfg.data, 'data').max_skipped is not None:
        facts['on_error'] = 'where a sample cannot be loaded, training takes another in its place'
    if options.skip_types:
        facts['left out'] = (f'{", ".join(options.skip_types)}: the draws of later steps may '
                             'differ from those of training')
    return facts


def _chain(dataset: Dataset) -> Iterator[Dataset]:
    seen = set()
    for part in nested_datasets(dataset):
        if type(part) not in seen:
            seen.add(type(part))
            yield part


def _number(number: int, what: str) -> str:
    return f'{number} {what}{"s" * (number != 1)}'


def _failure(trace: Trace) -> str:
    first = describe_error(trace.error).splitlines()[0]
    return printable(f'{trace.index} {trace.file or ""} (epoch {trace.epoch}): {first}')


def _list_failed(failed: list[str]) -> Iterator[str]:
    if failed:
        yield f'{_number(len(failed), "sample")} could not be loaded:'
    yield from (f'  {failure}' for failure in failed[:MOST_FAILED])
    if len(failed) > MOST_FAILED:
        yield f'  ... and {len(failed) - MOST_FAILED} more'
