"""Rows of measurements as a table and as JSON."""
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .section import Section


@dataclass(frozen=True)
class Row:
    """What was measured of one subject. `seconds`: of one unit of work, one value per round."""

    key: str  # 'own', 'plain', 'peer1', ...
    name: str
    seconds: Sequence[float]
    images: int  # of one unit
    threads: int
    torch: str
    differences: Mapping[str, float] = field(default_factory=dict)
    resident_mb: float | None = None
    allocated_mb: float | None = None
    flops: int | None = None
    dtype: str | None = None  # what it computes in
    matmul_rate: float | None = None  # operations a second of a matrix product in this type
    profile: str | None = None

    @property
    def median(self) -> float:
        """Median of the rounds in seconds."""
        return statistics.median(self.seconds)

    @property
    def images_per_second(self) -> float | None:
        """Throughput by the median; None where a unit is not made of images."""
        return self.images / self.median if self.images else None

    def speedup(self, reference: 'Row') -> float:
        """How many times as fast as `reference`: the ratio of the medians."""
        return reference.median / self.median


def peak_rate(row: Row, rows: Sequence[Row]) -> float | None:
    """Operations a second of the fastest matrix product in the row's type, of any subject.

    Other load on the machine can only slow a product down.
    """
    rates = [other.matmul_rate for other in rows if other.matmul_rate and other.dtype == row.dtype]
    return max(rates, default=None)


def share_of_peak(row: Row, rows: Sequence[Row]) -> float | None:
    """Operations a second as a share of `peak_rate` (MFU); None where either is unknown."""
    peak = peak_rate(row, rows)
    if not row.flops or peak is None:
        return None
    return row.flops / row.median / peak


def section_values(section: Section, rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of one section, for JSON."""
    return {'title': section.title, 'unit': section.unit, 'images': section.images,
            'subjects': [_row_values(row, rows) for row in rows]}


def _row_values(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    measured = {key: value for key, value in vars(row).items() if key not in ('images', 'profile')}
    return {
        **measured,
        'median': row.median, 'low': min(row.seconds), 'high': max(row.seconds),
        'images_per_second': row.images_per_second,
        'speedup_over': {other.key: row.speedup(other) for other in rows if other is not row},
        'share_of_peak': share_of_peak(row, rows),
    }


def format_section(section: Section, rows: Sequence[Row]) -> str:
    """Title, table, floor and profiles of a section."""
    from prettytable import PrettyTable
    table = PrettyTable(align='r')
    table.add_column('subject', [row.name for row in rows], align='l')
    for name, cells in _columns(section, rows):
        if any(cells):
            table.add_column(name, cells, align='r')
    lines = [section.title, table.get_string()]
    if share_of_peak(rows[0], rows) is not None:
        lines.append(_floor(rows[0], peak_rate(rows[0], rows), section.unit))
    lines += [f'\nWhere the time of {row.name} goes:\n{row.profile}' for row in rows if row.profile]
    return '\n'.join(lines)


def _columns(section: Section, rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    shares = [share_of_peak(row, rows) for row in rows]
    columns = [
        (f'ms / {section.unit}', [_number(1000 * row.median) for row in rows]),
        ('min .. max', [' .. '.join(_number(1000 * edge(row.seconds)) for edge in (min, max))
                        for row in rows]),
        ('images/s', _cells(rows, lambda row: row.images and _number(row.images_per_second)))]
    has_variants = any(row.key.startswith('own') for row in rows[1:])
    references = [row for row in rows if not row.key.startswith('own')]
    columns += [(f'x {_short(other)}', [f'{row.speedup(other):.2f}' for row in rows])
                for other in [*(rows[:1] if has_variants else []), *references]]
    columns += [
        ('GFLOP', _cells(rows, lambda row: row.flops and f'{row.flops / 1e9:.1f}')),
        ('of peak', ['' if share is None else f'{share:.0%}' for share in shares]),
        ('allocated MiB', _cells(rows, lambda row: row.allocated_mb and f'{row.allocated_mb:.0f}')),
        ('resident MiB', _cells(rows, lambda row: row.resident_mb and f'{row.resident_mb:.0f}')),
        ('threads', [str(row.threads) for row in rows]),
        ('difference', ['', *(_difference(row) for row in rows[1:])])]
    return columns


def _cells(rows: Sequence[Row], text: Callable[[Row], str | float | None]) -> list[str]:
    return [text(row) or '' for row in rows]


def _short(row: Row) -> str:
    return row.key.replace('_', ', ', 1) if row.key.startswith('plain') else row.name


def _difference(row: Row) -> str:
    return ', '.join(f'{name} {value:.0e}' if value else f'{name} 0'
                     for name, value in row.differences.items())


def _floor(row: Row, rate: float, unit: str) -> str:
    return (f'{row.name}: {row.flops / 1e9:.1f} GFLOP at the measured {rate / 1e9:.0f} GFLOP/s of '
            f'a matrix product make a floor of {_number(1000 * row.flops / rate)} ms per {unit}')


def _number(value: float) -> str:
    """Three digits or more: 0.123, 1.23, 12.3, 1234."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f'{value:.{digits}f}'
