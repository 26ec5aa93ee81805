"""Found as `mmcv` by processes that a program with the alias starts; see `../alias.py`."""
import importlib
import sys

from mmcv_replace import install_alias

if __name__ == 'mmcv':
    del sys.modules['mmcv']
    install_alias()
    importlib.import_module('mmcv')  # the import system returns what stands in sys.modules now
