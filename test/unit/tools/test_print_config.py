import os
import subprocess
import sys

import pytest

from mmcv_replace import Config


@pytest.fixture
def run(repo_dir, tmp_path):
    (tmp_path / 'base.py').write_text("model = dict(type='A', depth=50)\nlr = 0.1\n")
    (tmp_path / 'leaf.py').write_text("_base_ = './base.py'\nmodel = dict(depth=18)\n")

    def run_tool(*arguments):
        return subprocess.run(
            [sys.executable, repo_dir / 'tools' / 'print_config.py', *arguments], cwd=tmp_path,
            capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': str(repo_dir)})

    return run_tool


def test_prints_the_whole_config_with_options(run):
    done = run('leaf.py', '--options', 'model.depth=34', 'lr=1e-2')
    assert done.returncode == 0, done.stderr
    assert Config.fromstring(done.stdout) == {'model': {'type': 'A', 'depth': 34}, 'lr': 0.01}


def test_explains_a_key(run):
    done = run('leaf.py', '--explain', 'model.depth', '--cfg-options', 'model.depth=34')
    assert done.stdout == ('model.depth = 34  # set by base.py, overridden by leaf.py, '
                           'overridden by command line\n')


@pytest.mark.parametrize(('arguments', 'message'), [
    (('none.py',), 'config file none.py does not exist'),
    (('leaf.py', '--explain', 'modle'), "did you mean 'model'"),
    (('leaf.py', '--options', 'depth'), "'depth' is not of the form key=value"),
])
def test_mistake_is_told_without_a_traceback(run, arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert 'Traceback' not in done.stderr


def test_explains_the_default_of_a_component(run, repo_dir):
    config = repo_dir / 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'
    done = run(config, '--explain', 'model.decode_head.fuse_pyramid')
    assert done.stdout == ('model.decode_head.fuse_pyramid = True  # default of PSPHead, in '
                           'mmseg.models.decode_heads.psp_head.PSPHead\n')
