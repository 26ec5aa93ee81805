"""A sample on its way through the pipelines: what each step makes of it, and what it has drawn."""
from .locate import file_of, find_samples, leaf_of
from .trace import StepTrace, Trace, skip_steps, trace_sample
from .view import View, difference

__all__ = ['StepTrace', 'Trace', 'View', 'difference', 'file_of', 'find_samples', 'leaf_of',
           'skip_steps', 'trace_sample']
