"""Damaged files, full disks, killed writers and several at once: no sample is wrong."""
import logging
import os
import shutil
from multiprocessing import get_context

import numpy as np
import pytest

from mmcv_replace.fileio import ArrayFile, array_file
from mmseg.datasets.caching import disk_cache
from mmseg.datasets.caching.disk_cache import DiskCache
from mmseg.datasets.pipelines import Compose

from .disk_cases import COUNT, CROP, LOAD, RESIZE, files, run, stored


def damage_sizes(path):
    size = path.stat().st_size
    return [0, 30, 4096, size // 2, size - 1]


@pytest.mark.parametrize('number', range(5))
@pytest.mark.parametrize('steps', [LOAD, [*LOAD, RESIZE, CROP]])
def test_a_file_that_was_cut_off_is_made_again(results, folder, decoded, caplog, steps, number):
    plain = run(Compose(steps), results(0))
    run(stored(steps, folder), results(0))
    path, = files(folder)
    whole = path.read_bytes()
    os.truncate(path, damage_sizes(path)[number])
    decoded.clear()
    pipeline = stored(steps, folder)
    for _ in range(2):
        np.testing.assert_equal(run(pipeline, results(0)), plain)
    assert len(decoded) == 1
    assert path.read_bytes() == whole
    assert caplog.text.count('this sample and others like it are decoded again') == 1


@pytest.mark.parametrize('steps', [LOAD, [*LOAD, RESIZE, CROP]])
@pytest.mark.parametrize('array', [0, 1])
@pytest.mark.parametrize('few', [0, 2**20])
def test_rows_that_have_changed_are_decoded_again(results, folder, decoded, monkeypatch, steps,
                                                  array, few):
    """Though size, time and head are as they were, and the window is drawn already."""
    monkeypatch.setattr('mmcv_replace.fileio.array_file.FEW', few)
    plain = run(Compose(steps), results(0), 3)
    run(stored(steps, folder), results(0))
    path, = files(folder)
    whole = path.read_bytes()
    with ArrayFile(path) as file:
        name = list(file.kinds)[array]
        start = file._start + file._listed[name][3]
    spoiled = bytearray(whole)
    for place in range(start, start + len(whole) // 8, 50):
        spoiled[place] ^= 255
    path.write_bytes(spoiled)
    decoded.clear()
    np.testing.assert_equal(run(stored(steps, folder), results(0), 3), plain)
    assert len(decoded) == 1
    assert path.read_bytes() == whole


def test_an_error_of_the_disk_while_a_sample_is_read(results, folder, monkeypatch):
    steps = [*LOAD, RESIZE, CROP]
    plain = run(Compose(steps), results(0))
    run(stored(steps, folder), results(0))

    def fail(self, *args):
        raise OSError(5, 'Input/output error')

    monkeypatch.setattr(ArrayFile, 'read', fail)
    for part in (LOAD, steps):
        expected = run(Compose(part), results(0))
        np.testing.assert_equal(run(stored(part, folder), results(0)), expected)
    np.testing.assert_equal(run(stored(steps, folder), results(0)), plain)


@pytest.mark.parametrize('steps', [LOAD, [*LOAD, RESIZE, CROP]])
def test_a_disk_that_fills_up_ends_nothing(results, folder, caplog, monkeypatch, steps):
    """The folder keeps what it has, and no part of another file."""
    pipeline = stored(steps, folder)
    run(pipeline, results(0))
    write = array_file._write_pages

    def fill(file, array):
        write(file, array[:5])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(array_file, '_write_pages', fill)
    for i in range(COUNT):
        np.testing.assert_equal(run(pipeline, results(i), i), run(Compose(steps), results(i), i))
    assert len(files(folder)) == 1
    monkeypatch.undo()
    run(pipeline, results(1))
    assert len(files(folder)) == 1
    assert caplog.text.count('cannot be written to (No space left on device)') == 1
    assert len(caplog.records) == 1


def test_the_disk_is_not_filled_to_the_brim(results, folder, caplog, monkeypatch):
    usage = shutil._ntuple_diskusage(total=10**6, used=0, free=10**5 + 30_000)
    monkeypatch.setattr(disk_cache.shutil, 'disk_usage', lambda path: usage)
    pipeline = stored(LOAD, folder)
    run(pipeline, results(0))
    assert len(files(folder)) == 1
    monkeypatch.setattr(disk_cache.shutil, 'disk_usage', lambda path: usage._replace(
        free=10**5 + 3000))
    for i in range(COUNT):
        run(pipeline, results(i))
    assert len(files(folder)) == 1
    assert caplog.text.count('has no room but what is left to others') == 1


def test_a_folder_that_cannot_be_made_ends_nothing(results, tmp_path, caplog):
    (tmp_path / 'file').touch()
    pipeline = stored(LOAD, tmp_path / 'file' / 'kept')
    for i in range(2):
        np.testing.assert_equal(run(pipeline, results(i)), run(Compose(LOAD), results(i)))
    assert caplog.text.count('cannot be made (Not a directory)') == 1


def test_a_folder_that_cannot_be_written_to_is_read(results, folder, decoded, monkeypatch, caplog):
    run(stored(LOAD, folder), results(0))

    def refuse(*args, **kwargs):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(disk_cache, 'write_arrays', refuse)
    decoded.clear()
    pipeline = stored(LOAD, folder)
    for i in (0, 1, 2, 0):
        run(pipeline, results(i))
    assert decoded == ['1.jpg', '2.jpg']
    assert caplog.text.count('cannot be written to (Permission denied)') == 1


def test_unfinished_files_of_killed_writers_are_removed(results, folder):
    run(stored(LOAD, folder), results(0))
    path, = files(folder)
    old, new = (path.with_name(f'.x.{digit * 32}.tmp') for digit in '01')
    for part in (old, new):
        part.touch()
    os.utime(old, (1, 1))
    path.unlink()
    run(stored(LOAD, folder), results(0))
    assert files(folder) == sorted([path, new])


def write_and_die(folder, results, number):
    """Write a sample, but end after some of its rows, as a killed process does."""
    write = array_file._write_pages

    def die(file, array):
        write(file, array[:number])
        file.flush()
        os._exit(9)

    array_file._write_pages = die
    run(stored(LOAD, folder), results)


@pytest.mark.parametrize('number', [0, 7])
def test_a_writer_that_is_killed_leaves_nothing_wrong(results, folder, decoded, number):
    process = get_context('fork').Process(target=write_and_die, args=(folder, results(0), number))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert [path.suffix for path in files(folder)] == ['.tmp']
    expected = run(Compose(LOAD), results(0))
    for _ in range(2):
        np.testing.assert_equal(run(stored(LOAD, folder), results(0)), expected)


def write_often(folder, results, barrier):
    pipeline = stored(LOAD, folder)
    expected = [run(Compose(LOAD), results(i))[0]['img'] for i in range(COUNT)]
    for _ in range(20):
        barrier.wait()
        for i in range(COUNT):
            assert np.array_equal(run(pipeline, results(i))[0]['img'], expected[i])
        barrier.wait()
        shutil.rmtree(folder / 'none', ignore_errors=True)
        for path in folder.glob('*/*.rows'):
            path.unlink(missing_ok=True)


def test_processes_write_the_same_samples_at_once(results, folder):
    context = get_context('fork')
    barrier = context.Barrier(3)
    processes = [context.Process(target=write_often, args=(folder, results, barrier))
                 for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_the_warning_of_one_process_is_that_of_all(folder, caplog):
    cache = DiskCache(folder)
    process = get_context('fork').Process(target=cache.tell, args=('full', 'no room'))
    process.start()
    process.join()
    with caplog.at_level(logging.WARNING, 'mmseg'):
        cache.tell('full', 'no room')
        cache.tell('damaged', 'other')
    assert [record.getMessage() for record in caplog.records] == ['data.cache: other']
