"""What training and testing share: pixel samplers, evaluation, small helpers."""
from .evaluation import *  # noqa: F403
from .evaluation import __all__ as _evaluation
from .seg import *  # noqa: F403
from .seg import __all__ as _seg
from .utils import *  # noqa: F403
from .utils import __all__ as _utils

__all__ = [*_evaluation, *_seg, *_utils]
