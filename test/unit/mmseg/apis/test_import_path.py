"""A file of the user's folder is imported for `custom_imports` alone, and last."""
import os
import shutil
import subprocess
import sys

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config
from mmseg.benchmark.startup import StartupCase
from mmseg.benchmark.subject import subject_commands

# Packages that are imported late, some of them where they are installed only.
LATE = ('yaml', 'torch_npu', 'tensorboard', 'simplejpeg', 'pywuffs', 'scipy', 'matplotlib',
        'prettytable', 'apex')
LEAF = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'


@pytest.fixture
def traps(tmp_path):
    """`traps(folder)` puts modules named like packages there; the test fails if one is imported."""
    def place(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in LATE:
            (folder / f'{name}.py').write_text(
                f'open({str(tmp_path / "imported")!r}, "a").write("{name} ")\n')
        return folder
    yield place
    assert not (tmp_path / 'imported').exists(), (tmp_path / 'imported').read_text()


@pytest.fixture
def run(repo_dir):
    def start(*command, cwd, **environment):
        return subprocess.run([sys.executable, *map(str, command)], cwd=cwd, text=True,
                              capture_output=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, 'PYTHONPATH': str(repo_dir),
                                   'TORCH_DEVICE_BACKEND_AUTOLOAD': '0', **environment})
    return start


def config(folder, repo_dir, suffix='.yaml'):
    file = folder / f'config{suffix}'
    file.write_text(f'{{"_base_": "{repo_dir / LEAF}", "model": {{"pretrained": null}}}}')
    return file


@pytest.mark.parametrize(('tool', 'suffix'), [
    ('print_config', '.yaml'), ('preflight', '.json'), ('train', '.yaml')])
def test_the_current_folder(traps, run, repo_dir, tmp_path, tool, suffix):
    """The commands end for want of data; until then they load the config and look for devices."""
    here = traps(tmp_path / 'here')
    done = run(repo_dir / f'tools/{tool}.py', config(here, repo_dir, suffix), cwd=here)
    assert done.returncode == (0 if tool == 'print_config' else 2), done.stderr
    assert 'Traceback' not in done.stderr


def test_the_folder_of_the_tool(traps, run, repo_dir, tmp_path):
    tools = traps(tmp_path / 'tools')
    shutil.copy(repo_dir / 'tools/print_config.py', tools)
    done = run(tools / 'print_config.py', config(tmp_path, repo_dir), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_tool_that_is_run_as_a_module(traps, run, repo_dir, tmp_path):
    here = traps(tmp_path / 'here')
    (here / 'tools').mkdir()
    shutil.copy(repo_dir / 'tools/print_config.py', here / 'tools')
    done = run('-m', 'tools.print_config', config(here, repo_dir), cwd=here)
    assert done.returncode == 0, done.stderr


def test_the_processes_of_the_benchmark(traps, run, repo_dir, tmp_path):
    """They end where nobody asks them for anything, or with the size of the model."""
    here = traps(tmp_path / 'here')
    for name in ('torch', 'numpy', 'cv2', 'argparse'):
        shutil.copy(here / 'yaml.py', here / f'{name}.py')
    done = run(*subject_commands(False, [])['own'][1:], cwd=here)
    assert done.returncode == 0, done.stderr
    probe = StartupCase(str(config(here, repo_dir)))._command
    done = run(*probe[1:], cwd=here)
    assert int(done.stdout) > 1e6, done.stderr


SCRIPT = """
import sys
from mmseg.apis import load_config
before = list(sys.path)
load_config(sys.argv[1])
assert sys.path == before
"""


def test_the_functions_of_python_leave_the_path_alone(traps, run, repo_dir, tmp_path):
    here = traps(tmp_path / 'here')
    (tmp_path / 'scripts').mkdir()
    (tmp_path / 'scripts/mine.py').write_text(SCRIPT)
    done = run(tmp_path / 'scripts/mine.py', config(here, repo_dir), cwd=here)
    assert done.returncode == 0, done.stderr


def test_the_path_of_the_user_stays(run, repo_dir, tmp_path):
    """PYTHONPATH, also where it names the folder of the tool or the current one."""
    folder = tmp_path / 'tools'
    folder.mkdir()
    (folder / 'my_own_module.py').write_text('A = 3\n')
    (folder / 'show.py').write_text(
        'from mmseg.apis import run_command\ndef main():\n    import my_own_module, sys\n'
        '    print(my_own_module.A, sys.path.count(sys.argv[1]))\nrun_command(main)\n')
    for cwd in (tmp_path, folder):
        done = run(folder / 'show.py', folder, cwd=cwd,
                   PYTHONPATH=f'{folder}{os.pathsep}{repo_dir}')
        assert done.stdout == '3 1\n', done.stderr


def test_custom_imports_find_the_folder_last(run, repo_dir, tmp_path):
    (tmp_path / 'my_own_steps').mkdir()
    (tmp_path / 'my_own_steps/__init__.py').write_text('')
    (tmp_path / 'my_own_steps/parts.py').write_text('A = 3\n')
    (tmp_path / 'my_own_steps/steps.py').write_text('from .parts import A\n')
    (tmp_path / 'colorsys.py').write_text('raise SystemExit("not the standard library\'s")\n')
    (tmp_path / 'config.json').write_text('{"custom_imports": ["my_own_steps.steps"]}')
    code = """if __name__ == '__main__':
    import multiprocessing, sys
    from mmseg.apis import load_config
    sys.path.remove('')
    load_config('config.json')
    import colorsys, my_own_steps.steps
    assert sys.path[-1] == sys.argv[1]
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        print(pool.apply(eval, ("__import__('my_own_steps.parts').parts.A",)))
"""
    done = run('-c', code, tmp_path, cwd=tmp_path)
    assert done.stdout == '3\n', done.stderr


@pytest.mark.parametrize('form', ['colorsys.py', 'colorsys/__init__.py'])
def test_a_module_with_the_name_of_another_is_not_passed_over(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    (tmp_path / form).parent.mkdir(exist_ok=True)
    (tmp_path / form).write_text('')
    (tmp_path / 'config.json').write_text('{"custom_imports": ["colorsys"]}')
    with pytest.raises(ConfigError, match=rf"'colorsys' would be of .*colorsys\.py, an installed "
                       rf'package, and not of {tmp_path / form}: give your file another name'):
        load_config('config.json')
