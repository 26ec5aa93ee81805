"""The steps that change images, under the module name that mmsegmentation 0.x gives them."""
from ..builder import PIPELINES  # noqa: F401
from . import *  # noqa: F403  all names of the package
