"""Command-line options of train and test, and the process that they start."""
import importlib.util
import os

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import OutputOptions, start_process
from mmseg.apis.train_options import apply_train_arguments
from mmseg.prediction.pipeline import enable_aug_test


@pytest.fixture
def tool(repo_dir):
    def load(name):
        spec = importlib.util.spec_from_file_location(name, repo_dir / 'tools' / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    return load


@pytest.fixture
def train_args(tool):
    return lambda *argv: tool('train').parse_args(['config.py', *argv])


def applied(args, **values):
    cfg = Config(values)
    apply_train_arguments(cfg, args)
    return cfg


def test_values_go_into_the_config(train_args):
    cfg = applied(train_args('--work-dir', 'w', '--load-from', 'l', '--resume-from', 'r',
                             '--seed', '0'), seed=5, other=1)
    assert cfg == dict(work_dir='w', load_from='l', resume_from='r', seed=0, other=1)


def test_without_options_the_config_stays(train_args):
    assert applied(train_args(), work_dir='w', seed=5) == dict(work_dir='w', seed=5)


@pytest.mark.parametrize(('argv', 'fp16'), [
    (['--amp'], dict(loss_scale='dynamic', opt_level='O1')),
    (['--amp', '--loss-scale', '128', '--opt-level', 'O2'], dict(loss_scale=128, opt_level='O2')),
    (['--amp', '--opt-level', 'O0'], None),
    (['--loss-scale', '128'], None),
])
def test_mixed_precision(train_args, argv, fp16):
    assert applied(train_args(*argv)).get('fp16') == fp16


def test_prof_adds_the_profiler(train_args):
    hooks = applied(train_args('--prof'), custom_hooks=[dict(type='Mine')]).custom_hooks
    assert [hook.type for hook in hooks] == ['Mine', 'ProfilerHook']


def test_gpu_ids_name_the_device(train_args):
    args = train_args('--gpu-ids', '2')
    applied(args)
    assert args.device_list == '2'


def test_several_gpus_need_several_processes(train_args):
    with pytest.raises(ConfigError, match='--gpus 4: one process drives one device'):
        applied(train_args('--gpus', '4'))
    applied(train_args('--gpus', '1'))
    applied(train_args('--gpus', '4', '--launcher', 'pytorch'))


@pytest.mark.parametrize('argv', [
    ['--options', 'a.b=1', 'c=x'], ['--cfg-options', 'a.b=1', 'c=x'],
])
def test_both_spellings_of_options(train_args, argv):
    assert train_args(*argv).cfg_options == {'a.b': 1, 'c': 'x'}


@pytest.mark.parametrize(('argv', 'name', 'value'), [
    (['--local_rank', '3'], 'local_rank', 3), (['--local-rank=3'], 'local_rank', 3),
    (['--device_list', '0,1'], 'device_list', '0,1'), (['--device-list=0,1'], 'device_list', '0,1'),
    (['--data_path', 'd'], 'data_root', 'd'), (['--data-root', 'd'], 'data_root', 'd'),
    (['--addr', '10.0.0.1'], 'addr', '10.0.0.1'), (['--device', 'npu'], 'device', 'npu'),
    (['--no-validate'], 'no_validate', True), (['--deterministic'], 'deterministic', True),
])
def test_the_spellings_of_the_reference(train_args, argv, name, value):
    assert getattr(train_args(*argv), name) == value


@pytest.mark.parametrize(('argv', 'value'), [
    ([], False), (['--deterministic'], True), (['--deterministic', 'strict'], 'strict'),
    (['--deterministic=strict'], 'strict')])
@pytest.mark.parametrize('first', [True, False])
def test_deterministic_and_the_config_behind_it(tool, argv, value, first):
    args = tool('train').parse_args(['c.py', *argv] if first else [*argv, 'c.py'])
    assert (args.config, args.deterministic) == ('c.py', value)


def test_deterministic_in_another_way(tool, capsys):
    with pytest.raises(SystemExit):
        tool('train').parse_args(['c.py', '--deterministic=very'])
    assert "'very': write 'strict', or nothing behind it" in capsys.readouterr().err


def test_one_process_on_the_cpu():
    process = start_process(Config({}), 'cpu')
    assert (process.device.type, process.rank, process.world_size) == ('cpu', 0, 1)
    assert not process.distributed


def test_addr_and_local_rank_are_for_the_launchers(monkeypatch):
    for name in ('MASTER_ADDR', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    start_process(Config({}), 'cpu', local_rank=1, addr='127.0.0.2')
    assert os.environ['MASTER_ADDR'] == '127.0.0.2'
    assert os.environ['LOCAL_RANK'] == '1'


def test_a_given_local_rank_beats_a_list_of_devices(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0,1')
    start_process(Config({}), 'cpu', local_rank=1)
    assert os.environ['LOCAL_RANK'] == '1'


def test_one_process_where_the_scheduler_wants_several(monkeypatch):
    for name, value in dict(RANK='1', WORLD_SIZE='16', LOCAL_WORLD_SIZE='8', MASTER_ADDR='h',
                            LOCAL_RANK='0,1,2,3,4,5,6,7', MASTER_PORT='2222').items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r'one process, but the Ascend Operator says node 1 of 2'):
        start_process(Config({}), 'cpu')
    with pytest.raises(ConfigError, match=r"LOCAL_RANK='0,1,.*dist_train\.sh"):
        start_process(Config({}), 'cpu', launcher='pytorch')


def test_one_process_on_each_node_joins_the_others(monkeypatch):
    joined = []
    monkeypatch.setattr('mmseg.apis.process.init_dist', lambda *args, **_: joined.append(args))
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '')
    for name, value in dict(PET_NNODES='2', PET_NODE_RANK='1', PET_NPROC_PER_NODE='1',
                            PET_MASTER_ADDR='h').items():
        monkeypatch.setenv(name, value)
    start_process(Config({}), 'cpu')
    assert joined == [('pytorch',)]
    assert [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR')] == [
        '1', '2', '0', 'h']


@pytest.mark.parametrize(('indices', 'message'), [
    ('0,1', 'names 2 devices but this is one process'),
    ('zero', 'is not a list of indices'),
    ('', 'is not a list of indices'),
])
def test_device_lists_that_one_process_cannot_use(indices, message):
    with pytest.raises(ConfigError, match=message):
        start_process(Config({}), 'npu', device_list=indices)


def test_a_rank_without_a_device_in_the_list(monkeypatch):
    for name, value in dict(RANK='2', WORLD_SIZE='3', LOCAL_RANK='2', MASTER_ADDR='127.0.0.1',
                            MASTER_PORT='29500').items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match='has no device for local rank 2'):
        start_process(Config({}), 'npu', launcher='pytorch', device_list='4,5')


@pytest.mark.parametrize(('options', 'message'), [
    ({}, 'say what to do with the predictions'),
    (dict(metrics=['mIoU'], format_only=True), '--eval needs annotations'),
    (dict(out='predictions.json'), r"--out 'predictions.json'.*\.pkl"),
])
def test_what_a_test_run_refuses(options, message):
    with pytest.raises(ConfigError, match=message):
        OutputOptions(**options)


def test_arguments_of_the_test_command(tool):
    args = tool('test').parse_args(['c.py', 'x.pth', '--eval', 'mIoU', 'mDice', '--eval-options',
                                    'beta=2'])
    assert (args.config, args.checkpoint) == ('c.py', 'x.pth')
    assert (args.eval, args.eval_options) == (['mIoU', 'mDice'], {'beta': 2})


def test_aug_test_sets_six_scales_and_flips():
    cfg = Config(dict(data=dict(test=dict(pipeline=[dict(type='A'),
                                                    dict(type='MultiScaleFlipAug')]))))
    enable_aug_test(cfg.data.test.pipeline)
    step = cfg.data.test.pipeline[1]
    assert step.img_ratios == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert step.flip


def test_aug_test_needs_its_step():
    with pytest.raises(ConfigError, match='--aug-test changes the MultiScaleFlipAug step'):
        enable_aug_test([dict(type='A')])
