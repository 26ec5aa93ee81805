import pytest

from mmcv_replace.utils import Timer, TimerError, check_time


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets."""
    now = [100.0]
    monkeypatch.setattr('time.perf_counter', lambda: now[0])
    return now


def test_since_start_and_since_last_check(clock):
    timer = Timer()
    assert timer.is_running
    clock[0] += 2
    assert timer.since_start() == 2
    clock[0] += 3
    assert timer.since_last_check() == 3
    clock[0] += 1
    assert timer.since_start() == 6


def test_context_manager_prints(clock, capsys):
    with Timer(print_tmpl='took {:.1f} s') as timer:
        clock[0] += 4.25
    assert capsys.readouterr().out == 'took 4.2 s\n'
    assert not timer.is_running


def test_timer_that_was_not_started():
    with pytest.raises(TimerError, match='was not started'):
        Timer(start=False).since_start()


def test_default_text(clock, capsys):
    with Timer():
        clock[0] += 1.5
    assert capsys.readouterr().out == '1.500\n'


def test_time_between_two_places(clock):
    assert check_time('here') == 0
    clock[0] += 2
    assert check_time('there') == 0
    clock[0] += 3
    assert check_time('here') == 5
    assert check_time('here') == 0
    assert check_time('there') == 3
