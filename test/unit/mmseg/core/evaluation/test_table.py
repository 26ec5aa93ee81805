"""Scores as text."""
import numpy as np

from mmseg.core.evaluation import format_class_table, format_summary


def test_table_has_a_row_a_class_in_percent():
    text = format_class_table(['road', 'sky'], {
        'aAcc': 0.5, 'Acc': np.array([0.98765, np.nan]), 'IoU': np.array([0.5, 0.0])})
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in text.splitlines() if line.startswith('|')]
    assert rows == [['Class', 'IoU', 'Acc'], ['road', '50.00', '98.77'], ['sky', '0.00', '-']]


def test_summary_is_one_line():
    assert format_summary({'aAcc': 0.94921, 'mIoU': 0.7713, 'mAcc': float('nan')}) \
        == 'aAcc: 94.92, mIoU: 77.13, mAcc: -'
