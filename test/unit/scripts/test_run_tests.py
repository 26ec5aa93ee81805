"""test/run_tests.sh: how many processes run the tests."""
import pytest

from mmcv_replace import host

pytest.importorskip('xdist')


@pytest.mark.parametrize(('cores', 'gigabytes', 'processes'), [
    (4, 64, 4), (4, 7, 3), (4, None, 4), (4, 1, 0), (1, 64, 0)])
def test_processes_follow_cores_and_memory(request, monkeypatch, cores, gigabytes, processes):
    free = None if gigabytes is None else gigabytes * 2 ** 30
    monkeypatch.setattr(host, 'usable_cores', lambda: cores)
    monkeypatch.setattr(host, 'free_memory', lambda: free)
    hook = request.config.hook.pytest_xdist_auto_num_workers
    assert hook(config=request.config) == processes


def test_arguments_come_after_the_defaults(repo_dir):
    """So that `-n 0` of the user, the last one, counts."""
    last = (repo_dir / 'test/run_tests.sh').read_text().splitlines()[-1]
    assert last.endswith(' -m pytest -n auto --dist worksteal "$@"')
