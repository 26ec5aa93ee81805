"""Every command refuses a setting that nobody would read, before it does any work."""
import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import init_segmentor

SLIP = r"evaluaton \(set by command line\) is no setting.*did you mean 'evaluation'"
COMMANDS = {
    'train': ['--device', 'cpu', '--work-dir', 'WORK'], 'preflight': ['--device', 'cpu'],
    'test': ['no.pth', '--device', 'cpu', '--eval', 'mIoU'], 'check_dataset': []}


@pytest.mark.parametrize('name', COMMANDS)
@pytest.mark.parametrize('option', ['--cfg-options', '--options'])
def test_commands(tool, small_config, tmp_path, monkeypatch, name, option):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=SLIP):
        tool(name)([str(small_config), *COMMANDS[name], option, 'evaluaton.interval=5'])
    assert not list(tmp_path.iterdir())


def test_benchmark(tool, small_config):
    with pytest.raises(ConfigError, match=SLIP):
        tool('benchmark')(['infer', str(small_config), '--cfg-options',
                           'evaluaton.interval=5'])


def test_from_python(small_config):
    cfg = Config.fromfile(small_config)
    cfg.test_cgf = dict(mode='whole')
    with pytest.raises(ConfigError, match="did you mean 'test_cfg'"):
        init_segmentor(cfg, device='cpu')


def test_the_command_line_says_so(run_tool, small_config, tmp_path):
    done = run_tool('train', small_config, '--cfg-options', 'checkpoint_confg.interval=1',
                    cwd=tmp_path)
    assert done.returncode == 2
    assert 'error: checkpoint_confg (set by command line) is no setting' in done.stderr
    assert 'Traceback' not in done.stderr
