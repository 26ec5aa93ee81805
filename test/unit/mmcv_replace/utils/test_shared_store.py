"""Memory that processes share."""
import logging
import multiprocessing
import os

import pytest

from mmcv_replace.utils import shared_store
from mmcv_replace.utils.shared_store import SharedStore

# Of one entry of two short parts: the sizes, and each part.
ENTRY = 3 * 64


def content(store, slot):
    parts = store.get(slot)
    return None if parts is None else [bytes(part) for part in parts]


def fill(store, slots):
    for slot in slots:
        store.put(slot, [bytes([slot]) * 70, b'', str(slot).encode()])


def test_entries_come_back_and_are_written_once():
    store = SharedStore(3, 4096)
    store.put(1, [b'first', memoryview(b'second' * 20)])
    store.put(1, [b'other'])

    assert [content(store, slot) for slot in range(3)] == [None, [b'first', b'second' * 20], None]


def test_what_comes_back_cannot_be_written_to():
    store = SharedStore(1, 4096)
    store.put(0, [b'abc'])

    with pytest.raises(TypeError, match='read-only'):
        store.get(0)[0][0] = 1


def test_room_is_bounded_and_its_end_said_once(caplog):
    store = SharedStore(5, 2 * ENTRY + 10, 'data.cache')
    with caplog.at_level(logging.WARNING, 'mmseg'):
        for slot in range(5):
            store.put(slot, [b'a', b'b'])

    assert [content(store, slot) is not None for slot in range(5)] == [True, True, *[False] * 3]
    message, = [record.getMessage() for record in caplog.records]
    assert message.startswith('data.cache is full: 2 of 5 entries are in it')


def run(method, *targets):
    """Run each (function, arguments) in a process of its own, at once."""
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=target, args=args) for target, *args in targets]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def test_processes_share_it():
    store = SharedStore(40, 100_000)
    fill(store, [0])
    run('fork', *((fill, store, range(start, 40)) for start in (1, 1, 20)))

    for slot in range(40):
        assert content(store, slot) == [bytes([slot]) * 70, b'', str(slot).encode()]


@pytest.mark.slow
@pytest.mark.parametrize('method', ['spawn', 'forkserver'])
def test_processes_that_are_started_anew_share_it(method):
    store = SharedStore(2, 1000)
    run(method, (store.put, 0, [b'first']), (store.put, 1, [b'second']))

    assert [content(store, slot) for slot in range(2)] == [[b'first'], [b'second']]


def test_without_files_of_memory(monkeypatch):
    monkeypatch.delattr(shared_store.os, 'memfd_create', raising=False)
    store = SharedStore(1, 1000)
    store.put(0, [b'abc'])

    assert content(store, 0) == [b'abc']


def test_an_entry_whose_writer_died_is_never_given():
    store = SharedStore(1, 4096)
    pid = os.fork()
    if pid == 0:
        store._reserve(0, 64)
        os._exit(0)
    os.waitpid(pid, 0)

    assert store.get(0) is None
    store.put(0, [b'later'])
    assert store.get(0) is None
