import pytest

from mmcv_replace.runner import (
    RUNNER_BUILDERS,
    DefaultRunnerConstructor,
    IterBasedRunner,
    build_runner,
)
from mmcv_replace.runner.builder import build_runner_constructor
from mmcv_replace.utils.errors import RegistryError


class Named(DefaultRunnerConstructor):
    def __call__(self):
        runner = super().__call__()
        runner.nickname = 'mine'
        return runner


def test_a_constructor_of_the_users(monkeypatch, make_model):
    monkeypatch.setitem(RUNNER_BUILDERS.module_dict, 'Named', Named)
    cfg = {'type': 'IterBasedRunner', 'max_iters': 3, 'constructor': 'Named'}
    runner = build_runner(cfg, {'model': make_model()})
    assert isinstance(runner, IterBasedRunner)
    assert (runner.nickname, runner.max_iters) == ('mine', 3)
    assert cfg['constructor'] == 'Named'


def test_constructor_by_itself(make_model):
    constructor = build_runner_constructor({
        'type': 'DefaultRunnerConstructor',
        'runner_cfg': {'type': 'IterBasedRunner', 'max_iters': 2},
        'default_args': {'model': make_model()}})
    assert constructor().max_iters == 2


def test_errors():
    with pytest.raises(TypeError, match='runner is a dict with a type'):
        DefaultRunnerConstructor([])
    with pytest.raises(RegistryError, match='runner constructor'):
        build_runner({'type': 'IterBasedRunner', 'constructor': 'None such'})
