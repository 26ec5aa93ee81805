"""Threads that work ahead: in order, bounded, and ended with their user."""
import threading
import time
from itertools import count, islice

import pytest

from mmseg.prediction.threads import ahead_of, in_threads


@pytest.mark.parametrize('threads', [0, 1, 3])
def test_results_come_in_order(threads):
    def work(number):
        time.sleep(0.002 * (number % 3))  # later ones may be done first
        return -number

    assert list(in_threads(work, range(20), threads, 5)) == [-number for number in range(20)]
    assert list(in_threads(work, [], threads, 5)) == []


def test_no_more_is_taken_than_ahead():
    taken = []

    def items():
        for number in count():
            taken.append(number)
            yield number

    results = in_threads(lambda number: number, items(), 2, 3)
    assert list(islice(results, 4)) == [0, 1, 2, 3]
    assert len(taken) <= 4 + 3
    results.close()
    assert threading.active_count() < 20


def test_without_threads_nothing_is_taken_before_it_is_needed():
    taken = []
    results = in_threads(lambda number: number, (taken.append(i) or i for i in count()), 0, 3)
    assert next(results) == 0
    assert taken == [0]


def test_several_threads_work_at_a_time():
    """Each waits for the other, which would never end with one."""
    meet = threading.Barrier(2, timeout=20)
    assert list(in_threads(lambda number: meet.wait() >= 0, range(4), 2, 2)) == [True] * 4


@pytest.mark.parametrize('threads', [0, 2])
def test_an_error_comes_in_the_place_of_its_result(threads):
    results = in_threads(lambda number: 1 // number, [1, 1, 0, 1], threads, 4)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_closing_ends_the_threads():
    before = threading.active_count()
    begun = []
    results = in_threads(lambda number: begun.append(number), range(100), 1, 50)
    next(results)
    results.close()
    number = len(begun)
    assert threading.active_count() == before
    time.sleep(0.02)
    assert len(begun) == number < 100


def test_a_thread_takes_items_ahead():
    main, seen, full = threading.get_ident(), [], threading.Event()

    def items():
        for number in range(8):
            seen.append(threading.get_ident())
            if number == 3:
                full.set()
            yield number

    found = ahead_of(items(), 3)
    assert next(found) == 0
    assert full.wait(20)  # without another call
    assert list(found) == list(range(1, 8))
    assert main not in seen


def test_an_error_of_the_items_comes_behind_those_before_it():
    def items():
        yield 1
        raise KeyError('x')

    found = ahead_of(items(), 5)
    assert next(found) == 1
    with pytest.raises(KeyError):
        next(found)
