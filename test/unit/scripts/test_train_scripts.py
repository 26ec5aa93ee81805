"""test/train_*.sh: what they would run, for each option; and what they refuse."""
import re

import pytest

FULL, PERFORMANCE = 'test/train_full_8p.sh', 'test/train_performance_8p.sh'
NODES, VAL = 'test/train_performance_multinodes.sh', 'test/train_val_8p.sh'
SCRIPTS = ['test/train_full_1p.sh', FULL, 'test/train_performance_1p.sh', PERFORMANCE, NODES, VAL]
DATA = '--data_path=DIR/VOC2012'
CONFIG = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'
TORCHRUN = 'mmcv_replace/runner/elastic.py'


def job_of(commands):
    """The command that trains or tests, with its log."""
    return next(words for words in commands if words[-1] == '2>&1')


def value(words, option):
    return words[words.index(option) + 1]


def options_of(words):
    """The config options of a command."""
    return dict(word.split('=') for word in words if re.match(r'[a-z_]+\.[a-z_]+=', word))


def exports(commands):
    return dict(word.split('=', 1) for words in commands if words[0] == 'export'
                for word in words[1:])


@pytest.mark.parametrize(('name', 'nproc', 'iters', 'interval', 'folder', 'results'), [
    ('test/train_full_1p.sh', 1, 10000, 1000, 'PSPNet', ['PSPNet_bs16_1p_acc.log']),
    (FULL, 8, 10000, 1000, 'PSPNet', ['PSPNet_bs16_8p_acc.log']),
    ('test/train_performance_1p.sh', 1, 1000, 1000, 'PSPNet_prof',
     ['PSPNet_bs16_1p_perf.log', 'PSPNet_bs16_1p_acc.log']),
    (PERFORMANCE, 8, 1000, 1000, 'PSPNet_prof',
     ['PSPNet_bs16_8p_perf.log', 'PSPNet_bs16_8p_acc.log']),
])
def test_a_training(dry_run, checkout, name, nproc, iters, interval, folder, results):
    commands = dry_run(name, DATA)
    job = job_of(commands)
    output = checkout / 'output/0' / folder
    if nproc == 1:
        assert job[:2] == [str(checkout / '.venv/bin/python'), str(checkout / 'tools/train.py')]
        assert '--launcher' not in job
        assert value(job, '--device-list') == '0'
    else:
        assert job[1] == str(checkout / TORCHRUN)
        assert value(job, '--nproc_per_node') == str(nproc)
        assert value(job, '--launcher') == 'pytorch'
        assert '--device-list' not in job
    assert str(checkout / CONFIG) in job
    assert value(job, '--data-root') == 'DIR/VOC2012'
    assert value(job, '--device') == 'auto'
    assert value(job, '--work-dir') == str(output / 'ckpt')
    assert job[-2] == f'>{output}/train_0.log'
    assert options_of(job) == {
        'runner.max_iters': str(iters), 'checkpoint_config.interval': str(interval),
        'evaluation.interval': str(interval), 'log_config.interval': '50',
        'data.samples_per_gpu': '16'}
    assert ('--no-validate' in job) == ('performance' in name)
    assert '--amp' not in job

    summary = commands[-1]
    assert summary[1:3] == [str(checkout / 'tools/summarize_run.py'), str(output / 'ckpt')]
    assert summary[summary.index('--result') + 1:] == [str(output / name) for name in results]
    assert value(summary, '--network') == 'PSPNet'
    assert value(summary, '--rank-size') == str(nproc)
    assert value(summary, '--batch-size') == '16'


def test_the_evaluation_of_a_checkpoint(dry_run, checkout):
    commands = dry_run(VAL, DATA)
    job = job_of(commands)
    output = checkout / 'output/0/PSPNet'
    tool = job.index(str(checkout / 'tools/test.py'))
    assert job[1] == str(checkout / TORCHRUN)
    assert job[tool:tool + 5] == [job[tool], '--launcher', 'pytorch', str(checkout / CONFIG),
                                  str(output / 'ckpt/latest.pth')]
    assert value(job, '--eval') == 'mIoU'
    assert job[-2] == f'>{output}/val_0.log'
    assert commands[-1][2] == value(job, '--work-dir')
    assert value(commands[-1], '--result') == str(output / 'PSPNet_bs1_8p_val.log')
    commands = dry_run(VAL, DATA, '--checkpoint=best.pth')
    assert job_of(commands)[tool + 4] == 'best.pth'


@pytest.mark.parametrize('name', SCRIPTS)
def test_the_job_is_checked_before_it_starts(dry_run, checkout, name):
    commands = dry_run(name, DATA, '--nnodes=1', '--nproc=3')
    check = next(i for i, words in enumerate(commands)
                 if words[1:2] == [str(checkout / 'tools/preflight.py')])
    assert check < commands.index(job_of(commands))
    assert value(commands[check], '--nproc') == '3'
    job = job_of(commands)
    assert options_of(commands[check]) == options_of(job)
    assert ('--checkpoint' in commands[check]) == (name == VAL)
    assert ('--no-validate' in commands[check]) == ('--no-validate' in job)


@pytest.mark.parametrize(('arguments', 'words'), [
    (['--device=cpu'], ['--device', 'cpu']),
    (['--config=my.py'], ['my.py']),
    (['--nproc=3'], ['--nproc_per_node', '3']),
    (['--device-list=2,3'], ['--device-list', '2,3']),
    (['--device-list=2,3'], ['--nproc_per_node', '2']),
    (['--nproc=1', '--device_id=5'], ['--device-list', '5']),
    (['--amp'], ['--amp']),
    (['--opt-level=O2'], ['--opt-level', 'O2']),
    (['--loss-scale=128'], ['--loss-scale', '128']),
    (['--master_port=1234'], ['--master_port', '1234']),
    (['--master_addr=10.0.0.1'], ['--master_addr', '10.0.0.1']),
    (['--addr=10.0.0.1'], ['--master_addr', '10.0.0.1']),
    (['--nnodes=2', '--node_rank=1', '--addr=10.0.0.1'],
     ['--nnodes', '2', '--node_rank', '1', '--master_addr', '10.0.0.1', '--master_port', '29500']),
])
def test_an_option_reaches_the_job(dry_run, arguments, words):
    for spelling in (arguments, ' '.join(arguments).replace('=', ' ').split()):
        job = job_of(dry_run(FULL, DATA, *spelling))
        assert any(job[i:i + len(words)] == words for i in range(len(job))), job
    plain = job_of(dry_run(FULL, DATA))
    assert not any(plain[i:i + len(words)] == words for i in range(len(plain)))


def test_figures_of_a_training(dry_run):
    job = job_of(dry_run(FULL, DATA, '--batch_size=4', '--learning_rate=0.04', '--max_iters=2500'))
    assert options_of(job) == {
        'runner.max_iters': '2500', 'checkpoint_config.interval': '1000',
        'evaluation.interval': '1000', 'log_config.interval': '50',
        'data.samples_per_gpu': '4', 'optimizer.lr': '0.04'}


def test_a_short_training_is_logged_saved_and_evaluated(dry_run):
    options = options_of(job_of(dry_run(FULL, DATA, '--max_iters=20')))
    assert {options[f'{name}.interval'] for name in
            ('checkpoint_config', 'evaluation', 'log_config')} == {'20'}


@pytest.mark.parametrize(('arguments', 'folder', 'case'), [
    (['--device_id=3'], '3', 'bs16_8p'),
    (['--device-list=4,5'], '4', 'bs16_2p'),
    (['--device-list=4,5', '--device_id=0'], '0', 'bs16_2p'),
    (['--batch_size=2'], '0', 'bs2_8p'),
    (['--nnodes=3', '--node_rank=0', '--addr=h'], '0', 'bs16_24p'),
])
def test_names_of_the_output(dry_run, arguments, folder, case):
    commands = dry_run(FULL, DATA, '--output=out', *arguments)
    assert job_of(commands)[-2] == f'>out/{folder}/PSPNet/train_{folder}.log'
    assert commands[-1][-1] == f'out/{folder}/PSPNet/PSPNet_{case}_acc.log'


def test_other_machines_keep_their_own_log_and_write_no_results(dry_run):
    commands = dry_run(NODES, DATA, '--nnodes=2', '--node_rank=1', '--addr=h', '--output=out')
    assert commands[-1][-2] == '>out/0/PSPNet_prof/train_0_node1.log'


def test_one_machine_meets_at_a_free_port(dry_run):
    assert '--standalone' in job_of(dry_run(FULL, DATA))


def test_dashes_and_underscores_are_the_same(dry_run):
    assert (dry_run(FULL, '--data-path=D', '--device_list=1,2', '--batch-size=3', '--opt_level=O2')
            == dry_run(FULL, '--data_path=D', '--device-list=1,2', '--batch_size=3',
                       '--opt-level=O2'))


def test_a_value_may_have_spaces_and_equal_signs(dry_run):
    job = job_of(dry_run(FULL, '--data_path', 'a b/c=d', '--output=x y'))
    assert value(job, '--data-root') == 'a b/c=d'
    assert job[-2] == '>x y/0/PSPNet/train_0.log'


def test_hccl_uses_the_address_of_the_machine(dry_run):
    address = '--local_addr=127.0.0.1'
    assert exports(dry_run(FULL, DATA, '--device=npu', address))['HCCL_IF_IP'] == '127.0.0.1'
    assert 'HCCL_IF_IP' not in exports(dry_run(FULL, DATA, '--device=npu'))
    assert 'HCCL_IF_IP' not in exports(dry_run(FULL, DATA, '--device=cpu', address))


def test_gloo_and_nccl_use_the_interface_with_the_address(dry_run, has_ip):
    address = '--local_addr=127.0.0.1'
    found = exports(dry_run(FULL, DATA, address, NCCL_SOCKET_IFNAME='eth9'))
    assert (found['GLOO_SOCKET_IFNAME'], found['NCCL_SOCKET_IFNAME']) == ('lo', 'eth9')
    found = exports(dry_run(FULL, DATA, address, GLOO_SOCKET_IFNAME='eth9'))
    assert (found['GLOO_SOCKET_IFNAME'], found['NCCL_SOCKET_IFNAME']) == ('eth9', 'lo')


@pytest.mark.parametrize(('device', 'sourced'), [
    ('npu', True), ('NPU', True), ('cpu', False), ('gpu', False)])
def test_an_npu_job_sources_its_environment(dry_run, checkout, device, sourced):
    commands = dry_run(FULL, DATA, f'--device={device}')
    assert (['.', str(checkout / 'env_npu.sh')] in commands) == sourced


def test_processes_share_the_cores(dry_run, bash):
    cores = int(bash('getconf _NPROCESSORS_ONLN').stdout)
    found = exports(dry_run(FULL, DATA, '--nproc=2'))
    assert found['OMP_NUM_THREADS'] == str(max(1, cores // 2))
    assert exports(dry_run(FULL, DATA, OMP_NUM_THREADS='7'))['OMP_NUM_THREADS'] == '7'
    assert 'OMP_NUM_THREADS' not in exports(dry_run(FULL, DATA, '--nproc=1'))


def test_torchrun_passes_the_warning_of_a_scheduler_on(dry_run):
    found = exports(dry_run(FULL, DATA, '--nproc=2'))
    assert 'SIGUSR1' in found['PET_SIGNALS_TO_HANDLE'].split(',')
    found = exports(dry_run(FULL, DATA, '--nproc=2', PET_SIGNALS_TO_HANDLE='SIGTERM'))
    assert found['PET_SIGNALS_TO_HANDLE'] == 'SIGTERM'


def test_the_toolkit_of_this_checkout_is_used(dry_run, checkout):
    assert exports(dry_run(FULL, DATA))['PYTHONPATH'] == str(checkout)
    found = exports(dry_run(FULL, DATA, PYTHONPATH='/mine'))
    assert found['PYTHONPATH'] == f'{checkout}:/mine'
    assert found['TORCH_DEVICE_BACKEND_AUTOLOAD'] == '0'


@pytest.mark.parametrize(('environment', 'python'), [
    ({'VIRTUAL_ENV': '/env'}, 'python'),
    ({'CONDA_PREFIX': '/env'}, 'python'),
    ({'PYTHON': '/my/python', 'VIRTUAL_ENV': '/env'}, '/my/python'),
])
def test_choice_of_the_interpreter(dry_run, environment, python):
    assert job_of(dry_run(FULL, DATA, **environment))[0] == python


def test_the_systems_interpreter_is_the_last_resort(dry_run, checkout):
    venv = checkout / '.venv'
    venv.rename(checkout / 'venv')
    try:
        assert job_of(dry_run(FULL, DATA))[0] == 'python3'
    finally:
        (checkout / 'venv').rename(venv)


def test_a_dry_run_starts_nothing(dry_run, checkout):
    before = sorted(checkout.rglob('*'))
    dry_run(FULL, DATA, PYTHON='/nonexistent')
    assert sorted(checkout.rglob('*')) == before


@pytest.mark.parametrize('name', SCRIPTS)
def test_help_lists_every_option(script, name):
    done = script(name, '--help')
    assert done.returncode == 0, done.stderr
    assert f'bash {name} --data_path' in done.stdout
    assert re.search(r'--nproc .*\(1\)' if '1p' in name else r'--nproc .*\(8\)', done.stdout)
    for option in ('data_path', 'device', 'device_id', 'device-list', 'nproc', 'batch_size',
                   'learning_rate', 'nnodes', 'node_rank', 'local_addr', 'master_addr',
                   'master_port', 'addr', 'amp', 'opt-level', 'loss-scale', 'max_iters', 'config',
                   'output', 'checkpoint', 'dry-run'):
        assert re.search(rf'--{option}\b', done.stdout), option
    assert script(name, '-h').stdout == done.stdout


@pytest.mark.parametrize('name', SCRIPTS)
@pytest.mark.parametrize(('arguments', 'message'), [
    (['--colour=red'], 'unknown option --colour'),
    (['--colour', 'red'], 'unknown option --colour'),
    (['--data=x'], 'unknown option --data;'),
    (['--OPTIONS=x'], 'unknown option --OPTIONS'),
    (['-x'], "unexpected argument '-x'"),
    (['data'], "unexpected argument 'data'"),
    (['--'], "unexpected argument '--'"),
    ([], 'say where the data set is: --data_path='),
    (['--data_path'], '--data_path needs a value'),
    (['--data_path', '--device=cpu'], '--data_path needs a value'),
    (['--dry-run=no'], '--dry-run takes no value'),
    (['--amp=O1'], '--amp takes no value'),
])
def test_a_wrong_command_line_is_refused(script, name, arguments, message):
    done = script(name, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ''


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--nproc=0'], '--nproc=0 is not a whole number from 1'),
    (['--nproc=two'], '--nproc=two is not'),
    (['--batch_size=1.5'], '--batch_size=1.5 is not'),
    (['--max_iters=0'], '--max_iters=0 is not'),
    (['--device_id=-1'], '--device_id=-1 is not a whole number from 0'),
    (['--master_port=x'], '--master_port=x is not'),
    (['--device=npu:1'], '--device_id (one device) or --device-list'),
    (['--device-list=0-3'], '--device-list=0-3 is not a list'),
    (['--device-list=0,1', '--nproc=4'], '--nproc=4, but --device-list=0,1 has 2'),
    (['--nnodes=2'], '--node_rank=0 to 1'),
    (['--nnodes=2', '--node_rank=1'], '--master_addr=IP'),
    (['--nnodes=2', '--node_rank=2', '--addr=h'], '--node_rank=2: of --nnodes=2 it is 0 to 1'),
    (['--node_rank=1'], '--node_rank=1: of --nnodes=1'),
])
def test_a_wrong_value_is_refused(script, arguments, message):
    done = script(FULL, DATA, *arguments, '--dry-run')
    assert done.returncode == 2
    assert message in done.stderr


def test_the_multi_node_script_wants_to_know_the_nodes(script):
    done = script(NODES, DATA)
    assert done.returncode == 2
    assert '--nnodes=N' in done.stderr


def test_an_evaluation_says_what_it_does_not_use(script):
    done = script(VAL, DATA, '--amp', '--batch_size=4', '--dry-run')
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        'note: --batch_size is for training, it changes nothing here',
        'note: --amp is for training, it changes nothing here']


def test_an_address_of_another_machine_is_refused(script, has_ip):
    done = script(FULL, DATA, '--local_addr=192.0.2.7', PYTHON='true')
    assert done.returncode == 2
    assert '--local_addr=192.0.2.7 is not an address of this machine' in done.stderr


def test_an_interpreter_that_does_not_exist(script):
    done = script(FULL, DATA, PYTHON='/nonexistent/python')
    assert done.returncode == 2
    assert 'cannot run /nonexistent/python' in done.stderr


def test_an_interpreter_without_the_toolkit(script, tmp_path, bash):
    assert bash('python3 -m venv --without-pip "$1"', tmp_path / 'env').returncode == 0
    python = tmp_path / 'env/bin/python'
    done = script(FULL, DATA, PYTHON=str(python))
    assert done.returncode == 2
    assert f'{python} lacks torch and cv2: activate' in done.stderr
