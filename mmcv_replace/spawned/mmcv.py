"""Imported as `mmcv` in a new process, which has the module path of its parent, not its alias."""
import importlib
import sys

from mmcv_replace.alias import install_alias

if __name__ == 'mmcv':
    del sys.modules['mmcv']
    install_alias()
    importlib.import_module('mmcv')  # the import system returns what stands in sys.modules now
