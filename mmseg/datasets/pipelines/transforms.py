"""The steps that change images, under the module name that mmsegmentation 0.x gives them."""
from . import __all__, __dir__, __getattr__  # noqa: F401
