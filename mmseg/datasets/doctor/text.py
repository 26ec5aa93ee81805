"""A report for the terminal."""
from collections import Counter
from collections.abc import Iterator
from textwrap import indent

from mmcv_replace.utils.suggest import printable

from .findings import KINDS, SEVERITIES
from .label_tally import FORMULA, ClassTally
from .report import Report
from .statistics_text import format_statistics


def format_report(report: Report, max_examples: int = 5) -> str:
    """The whole report: findings, at most `max_examples` files of each kind, and the classes."""
    parts = [_overview(report), *_kinds(report, max_examples), _classes(report), _weights(report),
             *format_statistics(report.statistics, max_examples), _verdict(report)]
    return '\n\n'.join(part for part in parts if part)


def _overview(report: Report) -> str:
    lines = []
    for source in report.sources:
        dataset = source.dataset
        place = f'list {dataset.split}' if dataset.split else f'all of {dataset.img_dir}'
        lines.append(f'{source.split}: {source.owner}, {len(source):,} images, {printable(place)}')
    lines += [f'{split}: the files of {first}' for split, first in report.same.items()]
    return '\n'.join(lines)


def _kinds(report: Report, max_examples: int) -> Iterator[str]:
    """A table of the kinds that were found, the worst first, and a block of text for each."""
    counts = Counter((finding.kind, finding.split) for finding in report.findings)
    found = [kind for kind in KINDS if report.of_kind(kind)]
    if not found:
        return
    from prettytable import PrettyTable
    table = PrettyTable(['severity', 'finding', *report.samples])
    table.align = 'r'
    table.align['severity'] = table.align['finding'] = 'l'
    for kind in found:
        table.add_row([KINDS[kind].severity, KINDS[kind].title,
                       *(f'{counts[kind, split]:,}' for split in report.samples)])
    yield table.get_string()
    for kind in found:
        yield _block(report, kind, max_examples)


def _block(report: Report, kind: str, max_examples: int) -> str:
    findings = report.of_kind(kind)
    title = KINDS[kind].title
    lines = [f'{KINDS[kind].severity}: {title} ({len(findings):,})']
    for finding in findings[:max_examples]:
        detail = f': {printable(finding.detail)}' if finding.detail else ''
        lines.append(f'  {finding.split}  {printable(finding.file)}{detail}')
    if len(findings) > max_examples:
        lines.append(f'  ... and {len(findings) - max_examples:,} more')
    if kind == 'label-range':
        lines += _wrong_values(report, max_examples)
    remedy = report.remedy(kind)
    if remedy:
        lines.append(f'  -> {remedy}')
    return '\n'.join(lines)


def _wrong_values(report: Report, max_examples: int) -> Iterator[str]:
    """A line for each source on the values that are no class, and how many masks hold them."""
    for tally in report.values.values():
        wrong = tally.wrong()
        if wrong:
            told = ', '.join(f'{value} in {tally.masks[value]:,} masks ({tally.pixels[value]:,} '
                             'pixels)' for value in wrong[:max_examples])
            more = ', ...' if len(wrong) > max_examples else ''
            source = tally.source
            yield (f'  {source.split}: {told}{more}; the {source.num_classes} classes are 0 to '
                   f'{source.num_classes - 1}, and {source.dataset.ignore_index} is ignored')


def _classes(report: Report) -> str:
    """A table of each class in each split: share of the labelled pixels, number of images."""
    tallies = {split: tally for split, tally in report.classes.items() if tally.pixels.any()}
    if not tallies:
        return ''
    from prettytable import PrettyTable
    names = dict.fromkeys(name for tally in tallies.values() for name in tally.classes)
    table = PrettyTable(['class', *(f'{split} {what}' for split in tallies
                                    for what in ('pixels %', 'images'))])
    table.align = 'r'
    table.align['class'] = 'l'
    for name in names:
        table.add_row([printable(name), *(cell for tally in tallies.values()
                                          for cell in _share(tally, name))])
    return table.get_string()


def _share(tally: ClassTally, name: str) -> tuple[str, str]:
    if name not in tally.classes:
        return '-', '-'
    index = tally.classes.index(name)
    return f'{100 * tally.pixels[index] / tally.pixels.sum():.3f}', f'{tally.images[index]:,}'


def _weights(report: Report) -> str:
    weights = report.weights()
    if weights is None:
        return ''
    return (f'class_weight against the imbalance of train ({FORMULA}); for a config:\n'
            + indent('model = dict(decode_head=dict(loss_decode=dict(class_weight=[\n'
                     + ''.join(f'    {", ".join(map(str, weights[start:start + 10]))},\n'
                               for start in range(0, len(weights), 10)) + '])))', '  '))


def _verdict(report: Report) -> str:
    counts = ', '.join(f'{len(report.of_severity(severity)):,} '
                       f'{severity}{"" if severity == "info" else "s"}' for severity in SEVERITIES)
    samples = sum(report.samples.values())
    rate = f', {samples / report.seconds:.0f} samples/s' if report.seconds else ''
    return f'{samples:,} samples checked{rate}: {counts}'
