"""Every test runs in a process of its own: the alias lasts as long as the process."""
import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    def run_code(code):
        done = subprocess.run([sys.executable, '-W', 'error::DeprecationWarning', '-c', code],
                              capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
        assert done.returncode == 0, done.stderr
        return done

    return run_code


def test_alias_gives_the_same_modules_lazily(run):
    run('''
import sys
import mmcv_replace
spec = mmcv_replace.__spec__
before = set(sys.modules)
assert mmcv_replace.install_alias() is True
assert mmcv_replace.install_alias() is True
assert set(sys.modules) == before
finders = [type(finder).__name__ for finder in sys.meta_path]
assert finders.count('_AliasFinder') == 1

import mmcv
assert mmcv is mmcv_replace
assert mmcv.__spec__ is spec
import mmcv.utils.config
from mmcv.utils.config import Config
assert Config is mmcv_replace.utils.config.Config is mmcv.Config
assert mmcv.utils.__spec__.name == mmcv.utils.__name__ == 'mmcv_replace.utils'
from mmcv.utils import parrots_wrapper
assert parrots_wrapper is sys.modules['mmcv_replace.utils.parrots_wrapper']
assert mmcv.load is mmcv_replace.fileio.load
''')


def test_sub_packages(run):
    run('''
import mmcv_replace
mmcv_replace.install_alias()
from mmcv.runner import hooks
import mmcv.cnn.bricks
from mmcv.parallel import collate
import mmcv_replace.cnn.bricks, mmcv_replace.runner.hooks, mmcv_replace.parallel
assert hooks is mmcv_replace.runner.hooks
assert mmcv.cnn.bricks is mmcv_replace.cnn.bricks
assert collate is mmcv_replace.parallel.collate
''')


def test_real_mmcv_that_is_imported_already_stays(run, tmp_path):
    (tmp_path / 'mmcv.py').write_text('real = True')
    done = run('''
import sys
sys.path.insert(0, '')
import mmcv
import mmcv_replace
assert mmcv_replace.install_alias() is False
import mmcv as again
assert again.real
''')
    assert 'mmcv is imported already, from' in done.stderr


def test_real_mmcv_that_is_only_installed_gives_way(run, tmp_path):
    (tmp_path / 'mmcv.py').write_text('real = True')
    run('''
import sys
sys.path.insert(0, '')
import mmcv_replace
mmcv_replace.install_alias()
import mmcv
assert mmcv is mmcv_replace
''')


def test_parts_that_do_not_exist(run):
    run('''
import mmcv_replace
mmcv_replace.install_alias()
for name, text in {'mmcv.no_such_part': 'mmcv is mmcv_replace here, which has no such part',
                   'mmcv.ops.nms_rotated': 'mmcv_replace/COMPATIBILITY.md lists what is left out',
                   'mmcv.visualization.optflow': 'optical flow is no part',
                   'mmcv.video': 'videos are no part',
                   'mmcv.video.io': 'videos are no part'}.items():
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert error.name == 'mmcv.video' if 'video' in name else name
        assert text in str(error), error
    else:
        raise AssertionError(name)
try:
    from mmcv.ops import nms_rotated
except ImportError as error:
    assert 'rotated boxes' in str(error), error
else:
    raise AssertionError
''')


def test_import_of_mmseg_gives_mmcv_its_meaning(run):
    run('''
import mmseg, mmcv, mmcv_replace
from mmcv.runner import HOOKS
assert mmcv is mmcv_replace
assert HOOKS is mmcv_replace.runner.HOOKS
''')


def test_import_of_mmseg_leaves_an_installed_mmcv_alone(run, tmp_path):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv/__init__.py').write_text('real = True')
    (tmp_path / 'mmcv/utils.py').write_text('real = True')
    done = run('''
import sys
sys.path.insert(0, '')
import mmseg
import mmcv, mmcv.utils
assert mmcv.real and mmcv.utils.real
try:
    import mmcv.runner
except ModuleNotFoundError:
    pass
else:
    raise AssertionError('half of one, half of the other')
''')
    assert done.stderr.count('mmcv is installed, in ') == 1
    assert 'mmcv_replace.install_alias()' in done.stderr


def test_spawned_process_of_a_notebook_imports_a_plug_in_first(run, tmp_path):
    """There is no program whose import would bring mmseg into the new process."""
    (tmp_path / 'plug_in.py').write_text(
        'import mmcv.utils\nimport mmseg\nimport mmcv, mmcv_replace, sys\n'
        'def check():\n'
        '    assert mmcv is mmcv_replace is sys.modules["mmcv"]\n'
        '    assert mmcv.utils is sys.modules["mmcv_replace.utils"]\n')
    (tmp_path / 'other.py').write_text(
        'import mmseg\nfrom mmcv import Config\ndef check():\n    pass\n')
    done = run('''
import sys
sys.path.insert(0, '')
import mmseg, plug_in, other
import multiprocessing
for module in (plug_in, other):
    process = multiprocessing.get_context('spawn').Process(target=module.check)
    process.start()
    process.join()
    assert process.exitcode == 0
''')
    assert done.stderr == ''
