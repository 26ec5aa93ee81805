"""Loading a config as every command does, and how a command ends."""
import json
import subprocess
import sys

import pytest

from mmcv_replace.utils import track_iter_progress
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config, run_command

CONFIG = '''
data = dict(
    train=dict(type='RepeatDataset', dataset=dict(type='D', data_root='old')),
    val=[dict(type='D', data_root='old'), dict(type='D')],
    test=dict(type='ConcatDataset', datasets=[dict(type='D', data_root='old')]))
lr = 1
'''


@pytest.fixture
def config(tmp_path):
    file = tmp_path / 'config.py'
    file.write_text(CONFIG)
    return file


def test_options_change_the_config(config):
    assert load_config(config, {'lr': 2, 'data.val.0.split': 'a.txt'}).lr == 2


def test_data_root_reaches_every_dataset_however_nested(config, tmp_path):
    data = load_config(config, data_root=str(tmp_path)).data
    nodes = [data.train.dataset, *data.val, *data.test.datasets]
    assert [node.data_root for node in nodes] == [str(tmp_path)] * 4


def test_an_option_wins_over_data_root(config, tmp_path):
    cfg = load_config(config, {'data.val.1.data_root': 'mine'}, str(tmp_path))
    assert cfg.data.val[1].data_root == 'mine'


def test_a_data_root_that_does_not_exist(config):
    with pytest.raises(ConfigError, match="the data folder 'nowhere' does not exist"):
        load_config(config, data_root='nowhere')


def test_custom_imports_from_the_working_folder(tmp_path):
    (tmp_path / 'my_module_of_test.py').write_text('from mmcv.utils import Registry\nHERE = 1\n')
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['my_module_of_test'], allow_failed_imports=False)\n")
    code = ('from mmseg.apis import load_config; load_config("config.py"); '
            'import sys, mmcv, mmcv_replace; assert mmcv is mmcv_replace; '
            'print(sys.modules["my_module_of_test"].HERE)')
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.stdout == '1\n', done.stderr


def test_custom_imports_may_be_a_list(tmp_path):
    (tmp_path / 'config.json').write_text('{"custom_imports": ["colorsys"]}')
    load_config(tmp_path / 'config.json')
    assert 'colorsys' in sys.modules


@pytest.mark.parametrize('value', [5, [5], {'imports': 5}, True])
def test_custom_imports_that_are_no_names(tmp_path, value):
    (tmp_path / 'config.json').write_text(json.dumps({'custom_imports': value}))
    with pytest.raises(ConfigError, match='imports is a module name or a list of them, not'):
        load_config(tmp_path / 'config.json')


def test_custom_imports_with_a_wrong_key(tmp_path):
    (tmp_path / 'config.py').write_text("custom_imports = dict(modules=['colorsys'])\n")
    with pytest.raises(ConfigError, match='custom_imports takes imports and .*, not modules'):
        load_config(tmp_path / 'config.py')


def test_configs_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'
    assert load_config(name).model.decode_head.type == 'PSPHead'


def test_an_error_of_the_user_is_one_message(capsys):
    def main():
        raise ConfigError('the value 3 is wrong')

    assert run_command(main) == 2
    printed = capsys.readouterr().err
    assert printed.startswith('error: the value 3 is wrong\n')
    assert 'Traceback' not in printed


def test_the_traceback_can_be_had(monkeypatch):
    def main():
        raise ConfigError('x')

    monkeypatch.setenv('MMSEG_TRACEBACK', '1')
    with pytest.raises(ConfigError):
        run_command(main)


def test_a_defect_keeps_its_traceback():
    def main():
        raise IndexError('a defect')

    with pytest.raises(IndexError):
        run_command(main)


def test_a_reader_that_has_enough_is_no_error(repo_dir):
    command = (f'{sys.executable} tools/print_config.py '
               'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py | head -n 1')
    done = subprocess.run(command, shell=True, cwd=repo_dir, capture_output=True, text=True)
    assert done.stdout.count('\n') == 1
    assert done.stderr == ''


def test_the_exit_code_of_main_is_kept():
    assert run_command(lambda: 3) == 3
    assert run_command(lambda: None) == 0


def test_an_error_under_a_progress_bar_has_a_line_of_its_own(capsys):
    def main():
        steps = track_iter_progress([1, 2])  # which the traceback keeps
        for _ in steps:
            raise ConfigError('the value 3 is wrong')

    assert run_command(main) == 2
    assert '\nerror: the value 3 is wrong\n' in capsys.readouterr().err
