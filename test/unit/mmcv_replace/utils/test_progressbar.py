import io
import os
import signal
import time

import pytest

from mmcv_replace.utils import (
    ProgressBar,
    track_iter_progress,
    track_parallel_progress,
    track_progress,
)
from mmcv_replace.utils.errors import DataError, UserError


def square(value):
    return value * value


def fail_at_three(value):
    if value == 3:
        raise DataError('three is bad')
    return value


def die_at_three(value):
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def notes(error):
    return '\n'.join([str(error), *getattr(error, '__notes__', [])])


@pytest.fixture
def file():
    return io.StringIO()


def test_results_in_order_and_the_bar_reaches_its_end(file):
    assert track_progress(square, [3, 1, 2], file=file) == [9, 1, 4]
    assert '3/3' in file.getvalue()


def test_keyword_arguments_and_iterables_with_a_length(file):
    assert track_progress(int, (iter(['11', '12']), 2), file=file, base=3) == [4, 5]
    assert '2/2' in file.getvalue()


def test_iterator(file):
    assert list(track_iter_progress('abc', file=file)) == ['a', 'b', 'c']
    assert '3/3' in file.getvalue()


def test_bar_by_hand(file):
    bar = ProgressBar(4, bar_width=20, start=False, file=file)
    assert file.getvalue() == ''
    bar.start()
    bar.update(3)
    assert bar.completed == 3
    bar.update()
    assert '4/4' in file.getvalue()


def test_attributes_of_the_bar(file, monkeypatch):
    monkeypatch.setenv('COLUMNS', '123')
    bar = ProgressBar(4, 20, file=file)
    assert (bar.task_num, bar.bar_width, bar.completed, bar.file) == (4, 20, 0, file)
    assert bar.terminal_width == 123
    assert bar.timer.is_running
    with pytest.raises(AssertionError, match='num_tasks is the number of finished tasks, not 0'):
        bar.update(0)
    bar.close()


def test_bar_without_a_total(file):
    bar = ProgressBar(file=file)
    bar.update(7)
    bar.close()
    assert '7it' in file.getvalue()


def test_bar_shows_on_the_standard_error_by_default(capsys):
    track_progress(square, [1])
    assert '1/1' in capsys.readouterr().err


def test_parallel_keeps_the_order(file):
    tasks = list(range(20, 0, -1))
    assert track_parallel_progress(square, tasks, 2, chunksize=3, file=file) == [
        task * task for task in tasks]
    assert '20/20' in file.getvalue()


def wait_for_the_last(value):
    """The first task ends after the second one, which leaves the file of its name."""
    folder, index = value
    while index == 0 and not os.path.exists(folder / '1'):
        time.sleep(0.01)
    (folder / str(index)).touch()
    return index


@pytest.mark.parametrize(('keep_order', 'expected'), [(True, [0, 1]), (False, [1, 0])])
def test_order_of_the_results(file, tmp_path, keep_order, expected):
    tasks = [(tmp_path, 0), (tmp_path, 1)]
    assert track_parallel_progress(
        wait_for_the_last, tasks, 2, keep_order=keep_order, file=file) == expected


def test_chunks_without_order(file):
    assert sorted(track_parallel_progress(
        square, range(7), 2, chunksize=3, keep_order=False, file=file)) == [
            task * task for task in range(7)]


def test_bar_may_begin_behind_the_first_chunks(file):
    tasks = list(range(7))
    assert track_parallel_progress(square, tasks, 2, chunksize=2, skip_first=True, file=file) == [
        task * task for task in tasks]
    assert '3/3' in file.getvalue()


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(tasks=[1], initargs=3), 'initargs is a tuple, not 3'),
    (dict(tasks=5), 'tasks is a sequence, or a pair'),
])
def test_wrong_arguments(file, arguments, message):
    with pytest.raises(TypeError, match=message):
        track_parallel_progress(square, nproc=1, file=file, **arguments)


@pytest.mark.parametrize('run', [
    lambda func, file: track_progress(func, [1, 2, 3, 4], file=file),
    lambda func, file: track_parallel_progress(func, [1, 2, 3, 4], 2, file=file),
])
def test_error_keeps_its_type_and_names_the_task(file, run):
    with pytest.raises(DataError) as caught:
        run(fail_at_three, file)
    assert notes(caught.value).splitlines()[:2] == ['three is bad', 'while processing 3']


def test_worker_that_dies_ends_the_work(file):
    with pytest.raises(UserError, match='a worker process of die_at_three died.*fewer processes '
                                        'than 2'):
        track_parallel_progress(die_at_three, [1, 2, 3, 4], 2, file=file)


def test_tasks_have_a_name_in_the_speed():
    file = io.StringIO()
    ProgressBar(1, file=file, unit='image').update()
    assert 'image/s' in file.getvalue()


def test_a_bar_has_a_title():
    file = io.StringIO()
    ProgressBar(2, file=file, title='ortho.tif').update()
    assert file.getvalue().split('\r')[-1].startswith('ortho.tif:  ')


def test_tasks_that_are_left_out():
    file = io.StringIO()
    bar = ProgressBar(4, file=file)
    bar.leave_out(2)
    bar.update()
    bar.leave_out()
    assert '1/1' in file.getvalue().split('\r')[-1]  # at its end it was shown
    file = io.StringIO()
    ProgressBar(1, file=file).leave_out()
    assert not file.getvalue().split('\r')[-1].strip()
    bar = ProgressBar(0, file=io.StringIO())  # of unknown length
    bar.leave_out()
    bar.update()
    assert bar.completed == 1


def set_offset(value):
    os.environ['PROGRESS_TEST_OFFSET'] = str(value)


def add_offset(value):
    return value + int(os.environ['PROGRESS_TEST_OFFSET'])


def test_initializer_runs_in_each_worker(file):
    assert track_parallel_progress(add_offset, [1, 2], 1, set_offset, (10,), file=file) == [11, 12]
