"""`python -m mmcv_replace PROGRAM`, for programs that import mmcv first."""
import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    def run_program(*arguments):
        return subprocess.run([sys.executable, '-m', 'mmcv_replace', *arguments],
                              capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})

    return run_program


@pytest.mark.parametrize('arguments', [['sub/program.py'], ['-m', 'sub.program']])
def test_program(run, tmp_path, arguments):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'sub/program.py').write_text(
        'import mmcv, sys\nfrom mmcv.utils import Registry\n'
        'print(__name__, mmcv.__name__, sys.argv[1:])\n'
        'assert __file__.startswith("/")\n')
    (tmp_path / 'sub/neighbour.py').touch()
    done = run(*arguments, 'a', '--b')
    assert done.stdout.splitlines() == ["__main__ mmcv_replace ['a', '--b']"], done.stderr
    (tmp_path / 'sub/program.py').write_text('import neighbour' if len(arguments) == 1
                                             else 'import sub.neighbour')
    assert run(*arguments).returncode == 0


@pytest.mark.parametrize('arguments', [['program.py'], ['-m', 'program']])
def test_processes_that_a_program_spawns(run, tmp_path, arguments):
    (tmp_path / 'program.py').write_text(
        'import mmcv.runner\nimport multiprocessing\n'
        'def name(x):\n    return mmcv.runner.__name__ + x\n'
        'if __name__ == "__main__":\n'
        '    process = multiprocessing.get_context("spawn").Process(target=name, args=["x"])\n'
        '    process.start()\n    process.join()\n    print(process.exitcode)\n')
    done = run(*arguments)
    assert (done.stdout, done.stderr) == ('0\n', '')


@pytest.mark.parametrize('real', [False, True])
def test_processes_that_the_program_starts(run, tmp_path, monkeypatch, real):
    """Spawned ones import the program's file again; others are programs of their own."""
    if real:
        (tmp_path / 'installed').mkdir()
        (tmp_path / 'installed/mmcv.py').write_text('raise ImportError("the real one")')
        monkeypatch.syspath_prepend(tmp_path / 'installed')
    (tmp_path / 'child.py').write_text('import mmcv.utils\nprint("child", mmcv.__name__)')
    (tmp_path / 'program.py').write_text(
        'import mmcv, multiprocessing, subprocess, sys\n'
        'def work(number):\n'
        '    from mmcv.utils import is_str\n'
        '    print(mmcv.__name__, is_str(number))\n'
        'if __name__ == "__main__":\n'
        '    process = multiprocessing.get_context("spawn").Process(target=work, args=(1,))\n'
        '    process.start()\n'
        '    process.join()\n'
        '    subprocess.run([sys.executable, "child.py"], check=True)\n'
        '    subprocess.run([sys.executable, "-c", "import mmseg, mmcv; print(mmcv.__name__)"])\n')
    done = run('program.py')
    assert done.stdout.splitlines() == [
        'mmcv_replace False', 'child mmcv_replace', 'mmcv_replace'], done.stderr
    assert 'mmcv is installed' not in done.stderr


def test_help_and_no_program(run):
    assert 'python -m mmcv_replace' in run('--help').stdout
    done = run()
    assert done.returncode == 1
    assert 'no program is given' in done.stderr
    done = run('none.py')
    assert done.returncode == 1
    assert done.stderr.startswith('there is no program /')
