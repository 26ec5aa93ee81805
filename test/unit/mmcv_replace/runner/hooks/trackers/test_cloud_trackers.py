"""wandb and SwanLab, by the calls that stand-ins for the packages get."""
import logging
import random
import sys

import pytest

from mmcv_replace.runner.hooks import SwanlabLoggerHook, WandbLoggerHook
from mmcv_replace.utils.errors import ConfigError

META = {'run_id': 'abc', 'config': 'lr = 0.1\n', 'env_info': 'Python: 3'}


@pytest.fixture
def wandb(packages_of_loggers, tmp_path):
    package = packages_of_loggers['wandb']
    package.run.configure_mock(id='abc', dir=str(tmp_path / 'files'), offline=True)
    (tmp_path / 'files').mkdir()
    return package


@pytest.fixture
def swanlab(packages_of_loggers, tmp_path):
    package = packages_of_loggers['swanlab']
    package.init.return_value.configure_mock(id='abc', dir='its/folder', mode='offline')
    return package


def test_wandb(train, wandb, evaluate_at, tmp_path, log_lines):
    train(WandbLoggerHook(dict(project='p'), interval=2, define_metric_cfg={'loss': 'min'},
                          out_suffix='.pth', by_epoch=False), evaluation=evaluate_at(4), meta=META)
    settings = {'project': 'p', 'name': 'work', 'dir': str(tmp_path / 'work'), 'id': 'abc',
                'resume': 'allow', 'mode': 'offline', 'allow_val_change': True, 'settings': {},
                'config': {'lr': 0.1, 'environment': {'Python': '3'}}}
    wandb.init.assert_called_once_with(**settings)
    wandb.define_metric.assert_called_once_with('loss', summary='min')
    calls = wandb.log.call_args_list
    assert [call.kwargs for call in calls] == [dict(step=2, commit=True)] + [
        dict(step=4, commit=False)] * 3 + [dict(step=4, commit=True)]
    assert list(calls[1].args[0]) == ['pictures/x.jpg']
    assert wandb.Image.call_args_list[0].kwargs == {'caption': 'x.jpg: mIoU 0.2500'}
    assert {'learning_rate', 'train/loss', 'val/mIoU'} <= calls[-1].args[0].keys()
    sent = [call.args[0] for call in wandb.Artifact.return_value.add_file.call_args_list]
    assert sent == [str(tmp_path / 'work' / name)
                    for name in ('iter_2.pth', 'iter_4.pth', 'latest.pth')]
    wandb.log_artifact.assert_called_once_with(wandb.Artifact.return_value)
    wandb.finish.assert_called_once_with(exit_code=0)
    assert (tmp_path / 'files/config.py').read_text() == META['config']
    assert [call.args[0] for call in wandb.save.call_args_list] == [
        str(tmp_path / 'files' / name) for name in ('config.py', 'environment.txt')]
    assert any(f'`wandb sync {tmp_path}` sends it. For online runs call `wandb login`' in line
               for line in log_lines)


def test_wandb_without_steps(train, wandb, evaluate_at):
    train(WandbLoggerHook(interval=2, by_epoch=False, with_step=False, commit=False,
                          log_artifact=False), evaluation=evaluate_at(4))
    assert [(call.args[0].get('global_step'), call.kwargs) for call in wandb.log.call_args_list
            ] == [(step, dict(commit=False)) for step in (2, None, None, None, 4)]
    wandb.log_artifact.assert_not_called()


def test_wandb_checkpoints(train, wandb, tmp_path):
    train(WandbLoggerHook(by_epoch=False, log_artifact=False, log_checkpoint='last'))
    wandb.Artifact.assert_called_once_with(name='run_abc_model', type='model', metadata=None)
    wandb.log_artifact.assert_called_once_with(wandb.Artifact.return_value,
                                               aliases=['last', 'latest'])
    wandb.Artifact.return_value.add_file.assert_called_once_with(
        str(tmp_path / 'work/iter_4.pth'))


def test_wandb_limits_that_the_version_knows(train, wandb):
    wandb.Settings.model_fields = {'init_timeout': 90, 'finish_timeout': 0,
                                   'x_transaction_log_flush_interval': 15}
    train(WandbLoggerHook(dict(settings=dict(init_timeout=3)), finish_timeout=7))
    assert wandb.init.call_args.kwargs['settings'] == {
        'init_timeout': 3, 'finish_timeout': 7, 'x_transaction_log_flush_interval': 1}


def test_wandb_ends_the_run_if_its_files_cannot_be_sent(train, wandb, log_lines):
    wandb.Artifact.return_value.add_file.side_effect = PermissionError('no staging area')
    train(WandbLoggerHook(out_suffix='.pth'))
    wandb.finish.assert_called_once_with(exit_code=0)
    assert 'WandbLoggerHook: entries that were not sent: 1' in log_lines


def test_swanlab(train, swanlab, evaluate_at, tmp_path, log_lines):
    train(SwanlabLoggerHook(dict(project='p'), interval=2, by_epoch=False, class_scores=True,
                            log_checkpoint='last'), evaluation=evaluate_at(4), meta=META)
    swanlab.init.assert_called_once_with(
        project='p', name='work', log_dir=str(tmp_path / 'work/swanlog'), id='abc',
        resume='allow', mode='offline', config={'lr': 0.1, 'environment': {'Python': '3'}})
    calls = swanlab.log.call_args_list
    assert [call.kwargs['step'] for call in calls] == [0, 2, 4, 4, 4, 4]
    assert list(calls[0].args[0]) == ['config.py', 'environment.txt']
    assert list(calls[2].args[0]) == ['pictures/x.jpg']
    assert {'val/mIoU', 'val_Acc/道路 (x)'} <= calls[-1].args[0].keys()
    swanlab.save.assert_called_once_with(
        str(tmp_path / 'work/iter_4.pth'), base_path=str(tmp_path / 'work'), policy='now')
    swanlab.finish.assert_called_once_with()
    assert any('`swanlab sync its/folder` sends it' in line for line in log_lines)


def test_arguments_of_older_versions_of_swanlab(train, swanlab):
    train(SwanlabLoggerHook(dict(experiment_name='e', logdir='l', id='mine')))
    options = swanlab.init.call_args.kwargs
    assert not {'name', 'log_dir', 'resume'} & options.keys()
    assert options['id'] == 'mine'


def test_how_swanlab_learns_of_an_end(swanlab):
    hook = SwanlabLoggerHook()
    hook.finish(ValueError('x'))
    hook.finish(SystemExit(75))
    assert [call.kwargs for call in swanlab.finish.call_args_list] == [
        dict(state='crashed', error='ValueError: x'), dict(state='aborted')]


CLOUDS = [(WandbLoggerHook, 'wandb'), (SwanlabLoggerHook, 'swanlab')]


@pytest.fixture
def cloud(request, wandb, swanlab):
    """A kind of hook, its package, and the settings that the package would read."""
    kind, name = request.param
    package = {'wandb': wandb, 'swanlab': swanlab}[name]
    return kind, package, (wandb.setup().settings if name == 'wandb' else swanlab.Settings())


def modes(package):
    return [call.kwargs['mode'] for call in package.init.call_args_list]


@pytest.mark.parametrize('cloud', CLOUDS, indirect=True)
@pytest.mark.parametrize(('where', 'mode', 'expected'), [
    ('key', None, 'online'), ('key', 'offline', 'offline'), ('environ', 'disabled', 'disabled'),
    ('kept', 'offline', 'offline'), ('none', None, 'offline')])
def test_modes(train, cloud, monkeypatch, where, mode, expected):
    kind, package, settings = cloud
    options = None
    if where == 'key':
        settings.api_key = 'k'
        options = {'mode': mode} if mode else None
    elif where == 'environ':
        monkeypatch.setenv(f'{kind.package.upper()}_MODE', mode)
    elif where == 'kept':
        settings.mode, settings.api_key = mode, 'k'
    train(kind(options))
    assert modes(package) == [expected]


def test_key_of_wandb_in_netrc(train, wandb, monkeypatch, tmp_path):
    (tmp_path / 'netrc').write_text('machine api.wandb.ai login user password k\n')
    monkeypatch.setenv('NETRC', str(tmp_path / 'netrc'))
    train(WandbLoggerHook())
    assert modes(wandb) == ['online']


@pytest.mark.parametrize('cloud', CLOUDS, indirect=True)
def test_online_without_a_key_is_refused_instead_of_asking(train, cloud):
    kind, package, _ = cloud
    with pytest.raises(ConfigError, match=f"'online' needs an API key: call `{kind.package} log"):
        train(kind(dict(mode='online')))
    package.init.assert_not_called()


@pytest.mark.parametrize('cloud', CLOUDS, indirect=True)
def test_a_misspelt_mode_is_refused(train, cloud):
    kind, package, _ = cloud
    with pytest.raises(ConfigError, match="'ofline' is no mode of .*did you mean 'offline'"):
        train(kind(dict(mode='ofline')))
    package.init.assert_not_called()


@pytest.mark.parametrize('cloud', CLOUDS, indirect=True)
def test_a_service_that_fails_at_the_start(train, cloud, log_lines):
    kind, package, settings = cloud
    settings.api_key = 'k'
    begun = package.init.return_value
    package.init.side_effect = [TimeoutError('no answer'), begun]
    train(kind(by_epoch=False, interval=2))
    assert modes(package) == ['online', 'offline']
    assert any('online it failed (TimeoutError: no answer); kept offline' in line
               for line in log_lines)
    assert package.log.called


@pytest.mark.parametrize('cloud', CLOUDS, indirect=True)
def test_not_even_offline(train, cloud, log_lines):
    kind, package, _ = cloud
    package.init.side_effect = OSError('disk full')
    runner = train(kind(by_epoch=False))
    assert runner.iter == 4
    assert any('cannot begin, and the run goes on without it (OSError: disk full)' in line
               for line in log_lines)
    package.finish.assert_not_called()


def test_a_wrong_argument_is_refused_at_the_start(wandb, monkeypatch):
    def init(project=None, mode=None):
        """The arguments are checked against these."""
    monkeypatch.setattr(wandb, 'init', init)
    with pytest.raises(ConfigError, match=r"init_kwargs=.*unexpected keyword argument 'projct'"):
        WandbLoggerHook(dict(projct='p'))


def test_an_import_leaves_root_logger_and_random_numbers_alone(monkeypatch, tmp_path):
    (tmp_path / 'wandb.py').write_text(
        'import logging, random\nlogging.getLogger().addHandler(logging.StreamHandler())\n'
        'random.random()\ndef init(): pass\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, 'wandb', None)  # so that what is imported goes afterwards
    del sys.modules['wandb']
    before, state = [*logging.getLogger().handlers], random.getstate()
    WandbLoggerHook()
    assert logging.getLogger().handlers == before
    assert random.getstate() == state
