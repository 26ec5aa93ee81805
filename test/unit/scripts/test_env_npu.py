"""env_npu.sh: safe to source anywhere, and overrides nothing."""
import pytest

STRICT = 'set -euo pipefail; . "$1"; '
NAMES = ('TASK_QUEUE_ENABLE', 'CPU_AFFINITY_CONF', 'COMBINED_ENABLE', 'PYTORCH_NPU_ALLOC_CONF',
         'ACLNN_CACHE_LIMIT', 'HCCL_CONNECT_TIMEOUT', 'HCCL_EXEC_TIMEOUT', 'HCCL_WHITELIST_DISABLE')
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
    lines = (repo_dir / 'env_npu.sh').read_text().splitlines()
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


def test_cann_is_sourced_once(source, cann):
    home = cann('toolkit')
    found = variables(source(ASCEND_TOOLKIT_HOME=str(home), LD_LIBRARY_PATH=f'/x:{home}/lib64'))
    assert 'CANN' not in found


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
