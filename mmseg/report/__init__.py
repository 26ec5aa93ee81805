"""From the records of runs to one HTML page, and to curves.

`log_file` reads one log, `runs` joins those of a run with its evaluations, `page` puts the sections
of `sections` together. Charts are plain dicts in plotly's form, which the browser draws; a section
is HTML. `hook` writes the page during a training.
"""
from mmcv_replace.runner import HOOKS

HOOKS.add_modules({'mmseg.report.hook': ['ReportHook']})
