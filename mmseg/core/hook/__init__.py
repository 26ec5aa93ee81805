"""Hooks of a training that know of segmentation; that of the evaluation is beside its scores."""
from mmcv_replace.runner import HOOKS
from mmcv_replace.utils.lazy_names import lazy_names

MODULES = {'.wandblogger_hook': ['MMSegWandbHook']}

__getattr__, __dir__, __all__ = lazy_names(__name__, MODULES)
HOOKS.add_modules({f'{__name__}{module}': names for module, names in MODULES.items()})
