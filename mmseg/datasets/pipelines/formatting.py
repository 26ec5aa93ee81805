"""The module `formating` under the name that mmsegmentation gives it from 0.21 on."""
from .formating import *  # noqa: F403  all names of the module
