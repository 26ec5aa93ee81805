"""Found as `mmcv` by processes that a program with the alias starts; see `../alias.py`."""
import importlib
import sys

from mmcv_replace import install_alias

del sys.modules[__name__]
install_alias()
importlib.import_module(__name__)
