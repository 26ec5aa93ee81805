"""env_npu.sh: safe to source anywhere, and overrides nothing."""
import os
from pathlib import Path

import pytest

STRICT = 'set -euo pipefail; . "$1"; '
NAMES = ('TASK_QUEUE_ENABLE', 'CPU_AFFINITY_CONF', 'COMBINED_ENABLE', 'PYTORCH_NPU_ALLOC_CONF',
         'ACLNN_CACHE_LIMIT', 'HCCL_CONNECT_TIMEOUT', 'TORCH_NPU_COMPACT_ERROR_OUTPUT')
# As CANN's own script does: read what may be unset, run what may fail.
SET_ENV = 'echo "${NEVER_SET}" >/dev/null\nfalse\nexport CANN="$1:${CANN:-}here"\n'


@pytest.fixture
def source(bash, repo_dir):
    def run(code='env', **environment):
        done = bash(STRICT + code, repo_dir / 'env_npu.sh', **environment)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ''
        return done.stdout
    return run


def variables(text):
    return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)


@pytest.fixture
def cann(tmp_path):
    """A CANN in a folder, the name of which is given."""
    def install(folder):
        home = tmp_path / folder
        home.mkdir(parents=True)
        (home / 'set_env.sh').write_text(SET_ENV)
        return home
    return install


def test_without_cann_only_variables_are_set(source, bash):
    before = set(variables(bash('env').stdout))
    found = variables(source())
    assert set(found) - before == set(NAMES)
    assert all(found[name] for name in NAMES)


def test_it_can_be_sourced_without_a_home(bash, repo_dir):
    done = bash(f'unset HOME; {STRICT} echo fine', repo_dir / 'env_npu.sh')
    assert done.stdout == 'fine\n', done.stderr


@pytest.mark.parametrize('value', ['mine', ''])
@pytest.mark.parametrize('name', NAMES)
def test_what_the_user_has_set_stays(source, name, value):
    assert variables(source(**{name: value}))[name] == value


def test_every_variable_is_explained(repo_dir):
    lines = [line.strip() for line in (repo_dir / 'env_npu.sh').read_text().splitlines()]
    exported = [i for i, line in enumerate(lines) if line.startswith('export ')]
    assert len(exported) == len(NAMES)
    assert all(lines[i - 1].startswith('# ') for i in exported)


@pytest.mark.parametrize('place', ['cann', 'toolkit/latest'])
def test_cann_is_found_where_its_home_says(source, cann, place):
    home = cann(place.split('/')[0])
    (home / 'latest').mkdir()
    found = variables(source(ASCEND_TOOLKIT_HOME=str(home.parent / place)))
    assert found['CANN'] == ':here'


@pytest.mark.parametrize('place', ['ascend-toolkit', 'cann'])
def test_cann_is_found_in_the_users_folder(source, cann, tmp_path, place):
    cann(f'Ascend/{place}')
    assert variables(source(HOME=str(tmp_path)))['CANN'] == ':here'


def test_the_newer_folder_of_cann_wins(source, cann, tmp_path):
    """CANN 9.1 installs to `cann`; what it finds in `ascend-toolkit` is older."""
    for place in ('ascend-toolkit', 'cann'):
        (cann(f'Ascend/{place}') / 'set_env.sh').write_text(f'export CANN={place}\n')
    assert variables(source(HOME=str(tmp_path)))['CANN'] == 'cann'
    home = str(tmp_path / 'Ascend/ascend-toolkit')  # but not over what the user names
    assert variables(source(HOME=str(tmp_path), ASCEND_TOOLKIT_HOME=home))['CANN'] == (
        'ascend-toolkit')


@pytest.mark.parametrize('name', ['ASCEND_TOOLKIT_HOME', 'ASCEND_HOME_PATH'])
def test_cann_is_sourced_once(source, cann, name):
    home = cann('toolkit')
    found = variables(source(**{name: str(home), 'LD_LIBRARY_PATH': f'/x:{home}/lib64'}))
    assert 'CANN' not in found


ALLOCATOR = ('PYTORCH_NPU_ALLOC_CONF', 'PYTORCH_ALLOC_CONF')


@pytest.mark.parametrize(('given', 'expected'), [
    ((None, None), ('expandable_segments:True', None)),
    (('max_split_size_mb:8', None), ('max_split_size_mb:8', None)),
    ((None, 'garbage_collection_threshold:0.8'), (None, 'garbage_collection_threshold:0.8')),
    ((None, ''), (None, '')), (('', None), ('', None)),
    # Ours, of an earlier reading, gives way; two of the user's stay.
    (('expandable_segments:True', 'a:1'), (None, 'a:1')), (('b:2', 'a:1'), ('b:2', 'a:1'))])
def test_the_allocator_is_set_by_one_variable(source, given, expected):
    """torch_npu 2.13 refuses to start where both are set."""
    environment = {name: value for name, value in zip(ALLOCATOR, given, strict=True)
                   if value is not None}
    found = variables(source(**environment))
    assert tuple(map(found.get, ALLOCATOR)) == expected


def test_sourcing_it_twice_changes_nothing(source, repo_dir):
    twice = variables(source(f'. {repo_dir}/env_npu.sh; env'))
    assert {name: twice[name] for name in NAMES} == {
        name: value for name, value in variables(source()).items() if name in NAMES}


@pytest.mark.parametrize(('cores', 'prefix', 'expected'), [
    (10**6, '', '2,force:1'), (1, '', '2'), (10**6, 'taskset -c {core} ', '2'),
    (10**6, 'OMP_NUM_THREADS=1 ', '2,force:1'), (1, 'OMP_NUM_THREADS=1 ', '2')])
def test_binding_is_forced_where_the_container_limits_the_cores(
        bash, repo_dir, tmp_path, cores, prefix, expected):
    """torch_npu would not bind there; it must not undo a binding of the user's, though."""
    allowed = sorted(os.sched_getaffinity(0))
    first = Path('/proc/1/status').read_text()
    if f'Cpus_allowed_list:\t{own_list()}\n' not in first or len(allowed) < 2:
        pytest.skip('this process is bound to cores itself, or has only one')
    fake = tmp_path / 'getconf'
    fake.write_text(f'#!/bin/sh\necho {cores}\n')
    fake.chmod(0o755)
    command = f"{prefix.format(core=allowed[0])}bash -c '{STRICT}env' _ \"$1\""
    done = bash(command, repo_dir / 'env_npu.sh',
                PATH=f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
    assert done.stderr == ''
    assert variables(done.stdout)['CPU_AFFINITY_CONF'] == expected


def own_list():
    text = Path('/proc/self/status').read_text()
    return text.split('Cpus_allowed_list:\t')[1].split('\n')[0]


@pytest.mark.parametrize('strict', ['eu', 'e', 'u', ''])
def test_the_options_of_the_shell_stay(bash, repo_dir, cann, strict):
    code = f'set +eu; set {"-" + strict if strict else "--"} "$@"; . "$1"; echo "$-"; echo "$CANN"'
    done = bash(code, repo_dir / 'env_npu.sh', ASCEND_TOOLKIT_HOME=str(cann('toolkit')))
    flags, found = done.stdout.splitlines()
    assert {flag for flag in flags if flag in 'eu'} == set(strict)
    assert found == ':here'


def test_nothing_else_is_left_behind(bash, repo_dir):
    listing = '{ compgen -v; compgen -A function; } | sort'
    done = bash(f'before=; before="$({listing})"; . "$1"; comm -13 <(echo "$before") <({listing})',
                repo_dir / 'env_npu.sh')
    assert set(done.stdout.split()) - {'PIPESTATUS', 'BASH_REMATCH'} == set(NAMES)
