"""Scores as text."""
from collections.abc import Mapping, Sequence

import numpy as np


def format_class_table(class_names: Sequence[str], scores: Mapping[str, float | np.ndarray],
                       title: str = 'Class') -> str:
    """A table with a row per class and a column per score [C], in percent; '-' stands for NaN.

    A score that is a single number has no column. `title` is that of the names.
    """
    from prettytable import PrettyTable
    columns = {name: values for name, values in scores.items() if np.ndim(values)}
    # The main score precedes the accuracies, as in the summary.
    names = sorted(columns, key=lambda name: name.endswith('Acc'))
    table = PrettyTable([title, *names])
    table.align = 'r'
    table.align[title] = 'l'
    for index, class_name in enumerate(class_names):
        table.add_row([class_name, *(_percent(columns[name][index]) for name in names)])
    return table.get_string()


def format_summary(summary: Mapping[str, float]) -> str:
    """One line with all means in percent: `aAcc: 94.92, mIoU: 77.13, mAcc: 85.70`."""
    return ', '.join(f'{name}: {_percent(value)}' for name, value in summary.items())


def _percent(fraction: float) -> str:
    return '-' if np.isnan(fraction) else f'{100 * fraction:.2f}'
