"""MLflow, by the calls that a stand-in for the package gets."""
import os
from types import SimpleNamespace

import pytest

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import HOOKS, Hook
from mmcv_replace.runner.hooks import MlflowLoggerHook
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import ArgumentError

META = {'run_id': 'abc', 'config': 'lr = 0.1\nmodel = dict(head=dict(a=[1]))\n'}


@pytest.fixture
def mlflow(packages_of_loggers):
    package = packages_of_loggers['mlflow']
    package.MlflowClient.return_value.get_run.return_value.data.params = {}
    return package


def test_a_run(train, mlflow, evaluate_at, tmp_path):
    runner = train(MlflowLoggerHook('name', {'a': 1}, {'b': 2}, interval=2, by_epoch=False,
                                    class_scores=True, log_checkpoint='last'),
                   evaluation=evaluate_at(4), meta=META)
    work, client = tmp_path / 'work', mlflow.MlflowClient.return_value
    assert mlflow.set_tracking_uri.call_args_list[0].args == (f'sqlite:///{work}/mlflow.db',)
    mlflow.set_experiment.assert_called_once_with('name')
    mlflow.start_run.assert_called_once_with(run_id=None, run_name='work')
    client.set_tag.assert_called_once_with('run of MLflow', 'a', 1)
    mlflow.log_params.assert_called_once_with(
        {'lr': '0.1', 'model.head.a': '[1]', 'b': '2'}, run_id='run of MLflow', synchronous=True)
    assert [call.kwargs['step'] for call in mlflow.log_metrics.call_args_list] == [2, 4]
    last = mlflow.log_metrics.call_args.args[0]
    assert last['val/mIoU'] == 0.04
    assert last['val_Acc/道路 _x_'] == 0.75
    assert [call.kwargs['key'] for call in client.log_image.call_args_list] == [
        'pictures/x.jpg', 'pictures/y.jpg', 'confusion_matrix']
    client.log_text.assert_called_once_with('run of MLflow', META['config'], 'config.py')
    client.log_artifact.assert_called_once_with(
        'run of MLflow', str(work / 'iter_4.pth'), 'checkpoints')
    mlflow.pytorch.log_model.assert_called_once_with(
        runner.model, name='models', pip_requirements=['torch', 'mmseg-ascend'])
    mlflow.end_run.assert_called_once_with('FINISHED')
    assert mlflow.set_tracking_uri.call_args.args == (None,)  # as it was


def test_parameters_come_in_batches_and_once(train, mlflow):
    client = mlflow.MlflowClient.return_value
    client.get_run.return_value.data.params = {'p0': '0'}
    train(MlflowLoggerHook(params={f'p{index}': index for index in range(251)}, log_model=False))
    sent = [call.args[0] for call in mlflow.log_params.call_args_list]
    assert [len(batch) for batch in sent] == [100, 100, 50]
    assert 'p0' not in sent[0]
    mlflow.pytorch.log_model.assert_not_called()


@pytest.mark.parametrize('how', ['option', 'environ'])
def test_a_server_of_the_user(train, mlflow, how):
    mlflow.is_tracking_uri_set.return_value = how == 'environ'
    mlflow.get_tracking_uri.return_value = 'http://former'
    train(MlflowLoggerHook(tracking_uri='http://mine' if how == 'option' else None))
    assert [call.args for call in mlflow.set_tracking_uri.call_args_list] == (
        [('http://mine',), (None,)] if how == 'option' else [])
    mlflow.create_experiment.assert_not_called()
    mlflow.set_experiment.assert_not_called()


def test_a_server_that_fails_at_the_start(train, mlflow, log_lines, tmp_path):
    mlflow.is_tracking_uri_set.return_value = True
    mlflow.get_tracking_uri.return_value = 'http://server'
    mlflow.get_experiment_by_name.return_value = None
    good = mlflow.start_run.return_value
    mlflow.start_run.side_effect = [mlflow.exceptions.MlflowException('no answer'), good]
    train(MlflowLoggerHook(interval=2, by_epoch=False))
    work = tmp_path / 'work'
    assert [call.args for call in mlflow.set_tracking_uri.call_args_list] == [
        (f'sqlite:///{work}/mlflow.db',), ('http://server',)]
    mlflow.create_experiment.assert_called_once_with(
        'work', artifact_location=(work / 'mlartifacts').as_uri())
    assert any('http://server failed (no answer); run run of MLflow' in line for line in log_lines)
    assert mlflow.log_metrics.called


def test_a_run_of_the_user_is_used_and_not_ended(train, mlflow):
    mlflow.active_run.return_value = SimpleNamespace(info=SimpleNamespace(run_id='theirs'))
    train(MlflowLoggerHook(interval=2, by_epoch=False))
    assert {call.kwargs['run_id'] for call in mlflow.log_metrics.call_args_list} == {'theirs'}
    mlflow.start_run.assert_not_called()
    mlflow.end_run.assert_not_called()
    mlflow.set_tracking_uri.assert_not_called()


def stores(mlflow, *reached, deleted=()):
    """Let each run that begins have an id of its own, and be known in its store alone.

    `reached`: whether the server answers, for each attempt to find a run, or to begin one, there.
    `deleted`: runs that are, but can be restored. Returns the runs of each store, by its address.
    """
    def run_of(run_id, stage='active'):
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id, lifecycle_stage=stage),
                               data=SimpleNamespace(params={}))
    current, runs, answers = ['http://server'], {}, iter(reached)

    def known():
        if current[0] == 'http://server' and not next(answers, True):
            raise mlflow.exceptions.MlflowException('no answer', 500)
        return runs.setdefault(current[0], [])

    def get_run(run_id):
        if run_id not in known():
            raise mlflow.exceptions.MlflowException('unknown', 404)
        return run_of(run_id, 'deleted' if run_id in deleted else 'active')

    def start_run(run_id=None, run_name=None):
        there = known()
        if run_id is None:
            run_id = f'{current[0]} {len(there)}'
            there.append(run_id)
        return run_of(run_id)

    mlflow.set_tracking_uri.side_effect = lambda uri: current.__setitem__(0, uri)
    mlflow.get_tracking_uri.side_effect = lambda: current[0]
    mlflow.start_run.side_effect = start_run
    mlflow.MlflowClient.return_value.get_run.side_effect = get_run
    return runs


def sent(mlflow):
    """Steps that each run got."""
    steps = {}
    for call in mlflow.log_metrics.call_args_list:
        steps.setdefault(call.kwargs['run_id'], []).append(call.kwargs['step'])
    return steps


def go_on(train, iteration, length, tmp_path):
    train(MlflowLoggerHook(interval=2, by_epoch=False, log_model=False,
                           tracking_uri='http://server'), meta=META, length=length,
          then=lambda runner: iteration and runner.resume(
              tmp_path / f'work/iter_{iteration}.pth'))


def test_a_resumed_run(train, mlflow, tmp_path):
    stores(mlflow)
    go_on(train, 0, 4, tmp_path)
    go_on(train, 2, 6, tmp_path)
    assert sent(mlflow) == {'http://server 0': [2, 4, 6]}


@pytest.mark.parametrize('for_good', [False, True])
def test_a_run_that_was_deleted_begins_anew(train, mlflow, tmp_path, for_good):
    deleted = []
    runs = stores(mlflow, deleted=deleted)
    go_on(train, 0, 4, tmp_path)
    if for_good:
        runs['http://server'][0] = 'of somebody else'
    else:
        deleted.append('http://server 0')
    go_on(train, 2, 6, tmp_path)
    assert sent(mlflow) == {'http://server 0': [2, 4], 'http://server 1': [4, 6]}


def test_a_server_that_is_away_while_a_run_is_resumed(train, mlflow, tmp_path):
    """The run there goes on when it is back, with none of its steps again."""
    stores(mlflow, True, True, False)  # begun, its settings sent, not found again
    own = f'sqlite:///{tmp_path / "work"}/mlflow.db 0'
    go_on(train, 0, 4, tmp_path)
    go_on(train, 2, 6, tmp_path)
    assert sent(mlflow) == {'http://server 0': [2, 4], own: [4, 6]}
    go_on(train, 2, 8, tmp_path)
    assert sent(mlflow) == {'http://server 0': [2, 4, 6, 8], own: [4, 6]}


@pytest.mark.parametrize(('error', 'status'), [
    (ValueError('x'), 'FAILED'), (SystemExit(75), 'KILLED')])
def test_how_the_run_ends(train, mlflow, error, status):
    class Break(Hook):
        def after_train_iter(self, runner):
            raise error

    with pytest.raises(type(error)):
        train(MlflowLoggerHook(), evaluation=Break())
    mlflow.end_run.assert_called_once_with(status)
    mlflow.pytorch.log_model.assert_not_called()


def test_a_model_that_cannot_be_sent(train, mlflow, log_lines):
    mlflow.pytorch.log_model.side_effect = TypeError('cannot pickle')
    train(MlflowLoggerHook())
    assert ('MlflowLoggerHook: the model is not sent (TypeError: cannot pickle)' in log_lines)
    mlflow.end_run.assert_called_once_with('FINISHED')


def test_the_form_of_the_model_in_newer_versions(train, mlflow, monkeypatch):
    given = []

    def log_model(model, name=None, serialization_format=None, pip_requirements=None):
        given.append((name, serialization_format))
    monkeypatch.setattr(mlflow.pytorch, 'log_model', log_model)
    train(MlflowLoggerHook())
    assert given == [('models', 'pickle')]


def test_the_model_is_sent_without_what_distributes_it(train, mlflow):
    """Which only loads in a process of a group."""
    def wrap(runner):
        runner.model = MMDataParallel(runner.model)
    runner = train(MlflowLoggerHook(), then=wrap)
    assert mlflow.pytorch.log_model.call_args.args == (runner.model.module,)


def test_requests_at_the_start_are_brief(train, mlflow, monkeypatch):
    seen = []
    names = ('MLFLOW_HTTP_REQUEST_TIMEOUT', 'MLFLOW_HTTP_REQUEST_MAX_RETRIES')
    mlflow.start_run.side_effect = lambda **kwargs: (
        seen.append([os.environ.get(name) for name in names]), mlflow.start_run.return_value)[1]
    monkeypatch.setenv(names[1], '4')  # the user's wins
    train(MlflowLoggerHook())
    assert seen == [['10', '4']]
    assert [os.environ.get(name) for name in names] == [None, '4']


@pytest.mark.usefixtures('mlflow')
@pytest.mark.parametrize('seconds', [-3, '60'])
def test_a_time_that_is_none(seconds):
    with pytest.raises(ArgumentError, match=f'finish_timeout.*{seconds}.*from 0 on'):
        build_from_cfg(dict(type='MlflowLoggerHook', finish_timeout=seconds), HOOKS)
