"""test/reference/op_timing.py, with operators that take little time."""
import subprocess
import sys

import pytest


@pytest.fixture
def timing(repo_dir):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, str(repo_dir / 'test/reference/op_timing.py'), *arguments],
            capture_output=True, text=True)
    return run


def test_table(timing):
    """Figures of one side, the ratio of another to it, and why a third has none."""
    done = timing('--side', 'naive', '--side', 'torchvision', '--side', 'naive', '--repeat', '2',
                  '--threads', '1', '--python-torchvision', sys.executable, 'point_sample')
    assert done.returncode == 0, done.stderr
    head, naive, other, sizes = done.stdout.splitlines()
    assert head.split()[:2] == ['operator', 'side']
    words = naive.split()
    assert words[:2] == ['point_sample', 'naive']
    forward, both, peak, grown = map(float, words[2::2])
    assert words[3::2] == ['ms', 'ms', 'MiB', 'MiB']
    assert 0 < forward < both
    assert 0 < grown < peak
    assert 'not there: NotImplementedError: no torchvision form of it' in other
    assert sizes.strip() == '8192 points on [2, 21, 128, 128]'


def test_ratios_to_the_first_side(timing):
    done = timing('--side', 'ours', '--side', 'plain', '--repeat', '1', '--threads', '1',
                  '--clock', 'cpu', 'carafe')
    assert done.returncode == 0, done.stderr
    _, ours, plain, ratios, _ = done.stdout.splitlines()
    assert ours.split()[1] == 'ours'
    assert plain.split()[1] == 'plain'
    for place in (2, 4):
        found, other = (float(line.split()[place]) for line in (ours, plain))
        assert float(ratios.split()[place - 1]) == pytest.approx(other / found, abs=0.01)


def test_unknown_operator(timing):
    done = timing('bbox_overlap')
    assert done.returncode == 1
    assert 'error: no operator bbox_overlap; there are psa_mask_collect, ' in done.stderr
