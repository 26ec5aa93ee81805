"""Network building blocks: layers by name, ConvModule, weight initialisation."""
from .bricks import *  # noqa: F403
from .bricks import __all__ as _bricks
from .utils import *  # noqa: F403
from .utils import __all__ as _utils

__all__ = [*_bricks, *_utils]
