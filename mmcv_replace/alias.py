"""Make `import mmcv` import this package, so that code written for mmcv runs unchanged."""
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .compatibility import PLACE, why_absent

ALIAS = 'mmcv'
TARGET = __package__
# Holds an mmcv.py that installs the alias, for processes to come: what multiprocessing spawns has
# the search path of this one, and other programs have its environment.
FOR_CHILDREN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'children')


def install_alias(over_installed: bool = True) -> bool:
    """Make `mmcv` and all its sub-modules names of the modules of this package.

    They are the same objects, imported on first use. Returns whether the alias is in force: an mmcv
    that is imported already is kept, with a warning, and so is one that is only installed where
    `over_installed` is False, as for `import mmseg`.
    """
    present = sys.modules.get(ALIAS)
    if present is not None and present is not sys.modules[TARGET]:
        logging.getLogger('mmseg').warning(
            'mmcv is imported already, from %s, and stays: what custom modules register with it is '
            'not known here. Import %s first, or let them import from %s', present.__file__,
            TARGET, TARGET)
        return False
    if not any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        installed = None if over_installed else importlib.util.find_spec(ALIAS)
        if installed is not None and os.path.dirname(installed.origin or '') != FOR_CHILDREN:
            logging.getLogger('mmseg').warning(
                'mmcv is installed, in %s, and keeps its name: what is registered with it is not '
                'known here. Call %s.install_alias() before mmcv is imported, or uninstall mmcv, '
                'for mmcv to mean %s', installed.origin, TARGET, TARGET)
            return False
        # Before the path finder, which would load the files a second time under the other name.
        sys.meta_path.insert(0, _AliasFinder())
        if FOR_CHILDREN in sys.path:  # from the environment, perhaps behind an installed mmcv
            sys.path.remove(FOR_CHILDREN)
        sys.path.insert(1, FOR_CHILDREN)  # behind the folder of the program
    return True


class _AliasFinder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition('.')[0] != ALIAS:
            return None
        real = TARGET + fullname.removeprefix(ALIAS)
        if importlib.util.find_spec(real) is None:
            reason = why_absent(fullname) or (
                f'No module named {fullname!r}: mmcv is {TARGET} here, which has no such part '
                f'({PLACE} lists what is left out)')
            raise ModuleNotFoundError(reason, name=fullname)
        return ModuleSpec(fullname, _AliasLoader(real))


class _AliasLoader(Loader):
    def __init__(self, real: str) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.real)
        self.own_spec = module.__spec__
        self._name_shadowed(module, spec.name)
        return module

    def _name_shadowed(self, package: ModuleType, alias: str) -> None:
        """Enter modules that a function of the same name hides in their package, as ops.nms.

        Importing one by its alias later would put it in the place of the function.
        """
        for name, part in list(sys.modules.items()):
            parent, _, child = name.rpartition('.')
            if parent == self.real and vars(package).get(child, part) is not part:
                sys.modules[f'{alias}.{child}'] = part

    def exec_module(self, module: ModuleType) -> None:
        # The import system has replaced the module's spec by the alias's.
        module.__spec__ = self.own_spec
