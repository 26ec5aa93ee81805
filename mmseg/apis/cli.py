"""What all commands share: reading a config with its options and user code, and exit codes.

Every tool uses `load_config`, so that a custom module works with all of them.
"""
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import mmcv_replace
import mmseg
from mmcv_replace.alias import ALIAS
from mmcv_replace.interrupts import end_interrupted
from mmcv_replace.runner.dist_utils import leave_dist
from mmcv_replace.utils import Config, import_modules_from_strings
from mmcv_replace.utils.config import CONFIG_ROOTS
from mmcv_replace.utils.errors import ConfigError, UserError
from mmcv_replace.utils.misc.custom_imports import read_custom_imports
from mmcv_replace.utils.progressbar import close_bars
from mmcv_replace.utils.rank import rank_prefix
from mmseg.utils.input_channels import spread_in_channels
from mmseg.utils.outer_settings import join_outer_settings
from mmseg.zoo import find_model
from mmseg.zoo.models import CONFIG_FOLDER

_PACKAGE = Path(mmseg.__file__).resolve().parent
CONFIG_ROOTS.append(CONFIG_FOLDER.parent)


def load_config(path: str | os.PathLike, options: Mapping[str, object] | None = None,
                data_root: str | None = None) -> Config:
    """Read a config, apply command-line options, spread `in_channels`, import its `custom_imports`.

    `path` may also be the name of a published model, pspnet_r50-d8_512x512_20k_voc12aug.
    `data_root` replaces the folder of every data set in `data`. Afterwards `import mmcv` works.
    The current folder is added to Python's path only if there are `custom_imports`, so that a
    config without code cannot cause a file there to be imported.
    """
    mmcv_replace.install_alias()
    model = find_model(os.fspath(path))
    cfg = Config.fromfile(path if model is None else model.config,
                          import_custom_modules=False)  # which options may change
    return complete_config(cfg, options, data_root)


def complete_config(cfg: Config, options: Mapping[str, object] | None = None,
                    data_root: str | None = None) -> Config:
    """What `load_config` does after it has read a config."""
    if data_root is not None:
        set_data_root(cfg, data_root)
    if options:
        cfg.merge_from_dict(options)
    join_outer_settings(cfg)
    spread_in_channels(cfg)
    if cfg.get('custom_imports'):
        _import_custom(cfg.custom_imports)
    return cfg


def work_dir_of(cfg: Config) -> str:
    """The folder for the output of a job: `work_dir` of the config, or work_dirs/CONFIG_NAME."""
    name = Path(cfg.filename).stem if cfg.filename else 'config'
    return cfg.get('work_dir') or os.path.join('work_dirs', name)


def _import_custom(custom_imports: object) -> None:
    settings = read_custom_imports(custom_imports)
    # User code is usually in the current folder. It stays in the path, as processes that are
    # started later import the same modules; last, so that it hides no installed package.
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    names = settings['imports']
    for name in names if isinstance(names, list | tuple) else [names]:
        _check_home(name, here)
    import_modules_from_strings(**settings)


def _check_home(name: object, here: str) -> None:
    """Raise ConfigError if an installed module hides a module of this name in folder `here`."""
    top = str(name).partition('.')[0]
    own = [file for file in (Path(here, f'{top}.py'), Path(here, top, '__init__.py'))
           if top.isidentifier() and file.is_file()]
    if not own or top in ('__main__', mmseg.__name__, mmcv_replace.__name__, ALIAS):
        return
    spec = importlib.util.find_spec(top)
    found = None if spec is None else spec.origin
    if found is None or not os.path.exists(found) or Path(found).resolve() not in [
            file.resolve() for file in own]:
        raise ConfigError(f'custom_imports: {name!r} would be of {found or top}, an installed '
                          f'package, and not of {own[0]}: give your file another name, or put its '
                          'folder into PYTHONPATH')


def set_data_root(cfg: Config, data_root: str) -> None:
    """Set `data_root` of every data set in `data`, also inside lists and wrappers.

    Raises ConfigError if the folder does not exist or `data` is malformed.
    """
    if not os.path.isdir(data_root):
        raise ConfigError(f'the data folder {data_root!r} does not exist')
    options = {}
    if not isinstance(cfg.data, dict):
        raise ConfigError(f'data is a dict of train, val and test, not {cfg.data!r}')
    from mmseg.core.utils import leaf_configs  # here, as other commands start without it
    for name in ('train', 'val', 'test'):
        for key, dataset in () if cfg.data.get(name) is None else leaf_configs(
                cfg.data[name], f'data.{name}'):
            if not isinstance(dataset, dict):
                raise ConfigError(
                    f'{key} is the dict of a dataset, or a list of them, not {dataset!r}')
            options[f'{key}.data_root'] = data_root
    cfg.merge_from_dict(options)


def leave_script_folder() -> None:
    """Remove the first folder of Python's path, that of the script (`python -m`: the current one).

    Otherwise a file there could be imported in place of a package that has the same name.
    """
    script = sys.modules['__main__']
    first = os.getcwd() if getattr(script, '__spec__', None) else os.path.dirname(
        os.path.abspath(getattr(script, '__file__', None) or ''))
    safe = getattr(sys.flags, 'safe_path', False)
    if not safe and sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(first):
        del sys.path[0]
        # A checkout that is not installed is itself imported from there.
        if _PACKAGE.parent == Path(first).resolve():
            sys.path.append(first)


def run_command(main: Callable[[], int | None]) -> int:
    """Run a command line and return its exit code; print errors of the user without a traceback.

    The code is that of `main`, 2 after a UserError, 130 after Ctrl-C, and 141 if the reader of the
    output has ended. A training stopped by a signal exits with 75 (PreemptionHook).
    MMSEG_TRACEBACK=1 keeps the traceback.
    """
    if main.__module__ == '__main__':
        leave_script_folder()
    try:
        code = main() or 0
        leave_dist()
        return code
    except SystemExit:
        leave_dist()
        raise
    except BrokenPipeError:
        # The reader, such as `head`, has ended: what is still buffered must not be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (KeyboardInterrupt, UserError) as error:
        if os.environ.get('MMSEG_TRACEBACK') == '1':
            raise
        if isinstance(error, KeyboardInterrupt):
            return end_interrupted(rank_prefix())
        close_bars()
        notes = ''.join(f'\n  {note}' for note in getattr(error, '__notes__', []))
        sys.stderr.write(
            f'{rank_prefix()}error: {error}{notes}\n(MMSEG_TRACEBACK=1 shows where it arose)\n')
        return 2
