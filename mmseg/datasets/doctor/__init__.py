"""Find what is wrong with the files of a dataset before a training stumbles over it."""
from .clean import plan_lists, write_lists
from .doctor import examine_all, examine_some, open_report
from .findings import KINDS, UNLOADABLE, Finding
from .list_options import tell_lists
from .report import Report
from .statistics import measure
from .text import format_report

__all__ = [
    'KINDS', 'UNLOADABLE', 'Finding', 'Report', 'examine_all', 'examine_some', 'format_report',
    'measure', 'open_report', 'plan_lists', 'tell_lists', 'write_lists',
]
