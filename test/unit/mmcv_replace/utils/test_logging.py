import io
import logging
import uuid

import pytest

from mmcv_replace.utils import get_logger, print_log, warn_once
from mmcv_replace.utils.logging import logger_initialized


@pytest.fixture
def name():
    """A logger name of this test's own, taken down afterwards."""
    name = f'test-{uuid.uuid4().hex}'
    yield name
    for handler in logging.getLogger(name).handlers[:]:
        logging.getLogger(name).removeHandler(handler)
        handler.close()


def test_format_and_level(name, capsys):
    logger = get_logger(name)
    logger.info('hello')
    logger.debug('quiet')
    err = capsys.readouterr().err
    assert err.endswith(f' - {name} - INFO - hello\n')
    stamp = err.split(' - ')[0]
    assert len(stamp) == len('2026-11-23 10:00:00,000')
    assert 'quiet' not in err


def test_log_level_can_be_chosen(name, capsys):
    get_logger(name, log_level=logging.WARNING).info('quiet')
    assert capsys.readouterr().err == ''


def test_second_call_and_children_add_no_lines(name, capsys):
    get_logger(name)
    get_logger(name)
    get_logger(f'{name}.child').info('once')
    assert capsys.readouterr().err.count('once') == 1


def test_a_logger_that_was_taken_down_is_set_up_again(name, capsys):
    logger = get_logger(name)
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    get_logger(name).info('again')
    assert capsys.readouterr().err.count('again') == 1


def test_a_logger_that_a_program_has_set_up_stays_as_it_is(name, capsys, monkeypatch):
    monkeypatch.setitem(logger_initialized, name, True)
    for own in (get_logger(name), get_logger(f'{name}.child')):
        assert not own.handlers
        print_log('once', own.name)
    assert capsys.readouterr().err == ''
    assert get_logger(f'{name}s').handlers  # no child, though it begins alike


def test_log_file_is_written_even_when_it_comes_later(name, tmp_path):
    get_logger(name)
    path = tmp_path / 'sub' / 'run.log'
    logger = get_logger(name, path)
    get_logger(name, str(path))
    logger.info('größe')
    assert path.read_text(encoding='utf-8').count('größe') == 1
    get_logger(f'{name}.child').info('child')
    assert 'child' in path.read_text(encoding='utf-8')


@pytest.mark.parametrize(('mode', 'kept'), [({}, False), (dict(file_mode='a'), True)])
def test_mode_of_the_file(name, tmp_path, mode, kept):
    path = tmp_path / 'run.log'
    path.write_text('before\n')
    get_logger(name, path, **mode).info('now')
    assert ('before' in path.read_text()) is kept
    assert 'now' in path.read_text()


def test_handlers_have_the_level(name, tmp_path):
    logger = get_logger(name, tmp_path / 'run.log', logging.DEBUG)
    assert [handler.level for handler in logger.handlers] == [logging.DEBUG, logging.DEBUG]


def test_logger_of_print_log():
    with pytest.raises(TypeError, match="None or 'silent', not 0"):
        print_log('text', logger=0)


def test_name_that_only_begins_alike_is_no_child(name, capsys):
    get_logger(name)
    other = get_logger(f'{name}2')
    assert len(other.handlers) == 1


@pytest.mark.parametrize('rank', ['0', '1'])
def test_other_ranks_log_errors_only_and_write_no_file(name, tmp_path, capsys, monkeypatch, rank):
    monkeypatch.setenv('RANK', rank)
    logger = get_logger(name, tmp_path / 'run.log')
    logger.info('note')
    logger.error('trouble')
    print_log('line')
    captured = capsys.readouterr()
    assert 'trouble' in captured.err
    assert ('note' in captured.err) is (rank == '0')
    assert ('line' in captured.out) is (rank == '0')
    assert (tmp_path / 'run.log').exists() is (rank == '0')


def test_console_of_the_root_logger_does_not_repeat_our_lines(name):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        get_logger(name).warning('ours')
        logging.getLogger('theirs').warning('theirs')
    finally:
        root.removeHandler(handler)
    assert stream.getvalue() == 'theirs\n'


def test_records_still_reach_other_handlers_of_the_root_logger(name, caplog):
    get_logger(name).warning('ours')
    assert caplog.messages == ['ours']


def test_print_log(name, capsys):
    print_log('to stdout')
    print_log('dropped', 'silent')
    print_log('by name', name)
    print_log('by logger', logging.getLogger(name), logging.ERROR)
    captured = capsys.readouterr()
    assert captured.out == 'to stdout\n'
    assert f'{name} - INFO - by name' in captured.err
    assert f'{name} - ERROR - by logger' in captured.err
    assert 'dropped' not in captured.out + captured.err


def test_warn_once(caplog):
    message = uuid.uuid4().hex
    for _ in range(3):
        warn_once(message)
        warn_once(message, logging.getLogger('mmseg.other'))
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ('mmseg', 'WARNING'), ('mmseg.other', 'WARNING')]
