"""What trackers are sent of a run, what fails there, and a resume."""
import json
import logging
import random
import threading
import time

import numpy as np
import pytest

from mmcv_replace.runner import Hook
from mmcv_replace.runner.hooks.logger import background, tracker
from mmcv_replace.utils.errors import ConfigError

TRAIN = {'learning_rate', 'momentum', 'train/loss', 'train/size', 'train/fps'}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(background, 'PAUSES', (0.0, 0.0))


def test_an_iteration_is_one_entry(train, keep, evaluate_at, watch):
    hook = keep()
    train(hook, watch, evaluation=evaluate_at(2, 3))
    scalars = hook.scalars()
    assert scalars == watch.seen  # all that the others log, at the same steps
    assert list(scalars) == [2, 3, 4]
    assert set(scalars[2]) == TRAIN | {'val/mIoU', 'val/loss'}
    assert set(scalars[3]) == {'learning_rate', 'momentum', 'val/mIoU', 'val/loss'}
    assert scalars[3]['val/mIoU'] == 0.03
    assert [len(entry) for entry in hook.sent] == [4, 4, 4, 2, 4, 4, 4, 2, 2]  # scalars at last
    assert hook.ended == [None]


def test_pictures(train, keep, evaluate_at):
    hook = keep()
    train(hook, evaluation=evaluate_at(4))
    step, name, caption, drawn = hook.sent[1]
    assert (step, name, caption) == (4, 'pictures/x.jpg', 'x.jpg: mIoU 0.2500')
    np.testing.assert_array_equal(drawn, np.full((4, 6, 3), 10))
    assert hook.pictures() == [(4, 'pictures/x.jpg'), (4, 'pictures/y.jpg'),
                               (4, 'confusion_matrix')]


@pytest.mark.parametrize(('options', 'needs', 'names'), [
    ({}, {'pictures', 'confusion'}, ['pictures/x.jpg', 'pictures/y.jpg', 'confusion_matrix']),
    ({'pictures': False}, {'confusion'}, ['confusion_matrix']),
    ({'confusion_matrix': False}, {'pictures'}, ['pictures/x.jpg', 'pictures/y.jpg'])])
def test_which_pictures(train, keep, evaluate_at, options, needs, names):
    hook = keep(**options)
    train(hook, evaluation=evaluate_at(4))
    assert hook.evaluation_needs == needs
    assert [name for _, name in hook.pictures()] == names


def test_scores_of_classes_and_of_averaged_weights(train, keep, evaluate_at):
    plain, hook = keep(), keep(class_scores=True)
    train(plain, hook, evaluation=evaluate_at(4, averaged=(False, True)))
    assert {name: value for name, value in hook.scalars()[4].items()
            if name not in plain.scalars()[4]} == {
        'val_IoU/a.b': 0.125, 'val_Acc/道路 (x)': 0.75, 'val_IoU_ema/a.b': 0.125,
        'val_Acc_ema/道路 (x)': 0.75}
    assert 'pictures_ema/x.jpg' in [name for _, name in hook.pictures()]
    assert 'confusion_matrix_ema' in [name for _, name in hook.pictures()]


def test_scores_of_groups_are_always_logged(train, keep, evaluate_at):
    hook = keep()
    train(hook, evaluation=evaluate_at(4, groups=('a.b',)))
    assert hook.scalars()[4]['val_IoU/a.b'] == 0.125
    assert 'val_Acc/道路 (x)' not in hook.scalars()[4]


def test_an_evaluation_after_an_epoch_belongs_to_its_last_iteration(train, keep, evaluate_at):
    hook = keep(interval=4, by_epoch=True)
    train(hook, evaluation=evaluate_at(1, 2, by_epoch=True), by_epoch=True, length=2)
    assert list(hook.scalars()) == [4, 8]
    assert set(hook.scalars()[4]) == TRAIN | {'val/mIoU', 'val/loss'}


def test_an_evaluation_before_the_tracker_begins(train, keep, evaluate_at):
    """As that which a resumed run repeats."""
    class First(Hook):
        def before_run(self, runner):
            evaluate_at().evaluate(runner)

    hook = keep()
    train(hook, evaluation=First())
    assert (0, 'confusion_matrix') in hook.pictures()
    assert hook.scalars()[0]['val/mIoU'] == 0


@pytest.mark.parametrize(('kind', 'sent'), [
    (None, []), ('last', ['last']), ('both', ['best', 'last'])])
def test_checkpoints(train, keep, tmp_path, kind, sent):
    hook = keep(log_checkpoint=kind)
    train(hook, then=lambda runner: runner.hook_msgs.update(best_ckpt='b.pth'))
    assert [entry for entry in hook.sent if isinstance(entry[0], str)] == [
        (name, {'best': 'b.pth', 'last': str(tmp_path / 'work/iter_4.pth')}[name])
        for name in sent]


def test_what_it_is_told_of_the_run(train, keep, tmp_path):
    hook = keep()
    train(hook, meta={'config': "a = dict(b=1, c=[dict(d=2)])\nname = '道路'\n", 'seed': 3,
                      'env_info': 'Python: 3\nPyTorch: 2', 'run_id': 'abc'})
    run = hook.begun
    assert (run.name, run.work_dir, run.run_id) == ('work', str(tmp_path / 'work'), 'abc')
    assert run.config == {'a': {'b': 1, 'c': [{'d': 2}]}, 'name': '道路'}
    assert run.parameters() == {'a.b': 1, 'a.c': "[{'d': 2}]", 'name': '道路'}
    assert run.environment == {'Python': '3', 'PyTorch': '2', 'seed': '3'}
    assert sorted(run.texts) == ['config.py', 'environment.txt']


def test_only_the_first_process_sends(train, keep, evaluate_at):
    hook = keep()
    train(hook, evaluation=evaluate_at(2),
          then=lambda runner: setattr(runner, '_rank', 1))
    assert (hook.sent, hook.ended) == ([], None)


def test_a_call_that_fails_is_tried_again(train, keep, log_lines):
    hook = keep(fails=(0, 1))
    train(hook)
    assert list(hook.scalars()) == [2, 4]
    assert [line for line in log_lines if 'tired' in line] == [
        'Keep failed (ValueError: server is tired). The training goes on; each entry is tried 3 '
        'times, then left out']


def test_one_warning_for_each_kind_of_failure(log_lines):
    calls = background.BackgroundCalls('Full', logging.getLogger('mmseg'))
    for index in range(3):
        calls.call(open, f'/no/such/folder/{index}')
    calls.call(int, 'x')
    assert calls.close(60)
    assert [line.partition(':')[0] for line in log_lines if 'The training goes on' in line] == [
        'Full failed (FileNotFoundError', 'Full failed (ValueError']


def test_what_fails_always_is_left_out(train, keep, log_lines):
    hook = keep(fails=range(3))
    runner = train(hook)
    assert runner.iter == 4
    assert list(hook.scalars()) == [4]
    assert 'Keep: entries that were not sent: 1' in log_lines


@pytest.mark.parametrize('error', [ValueError('no'), SystemExit('a key, please')])
def test_a_tracker_that_cannot_begin(train, keep, log_lines, error):
    class Broken(keep):
        def start(self, run):
            raise error

    hook = Broken()
    runner = train(hook)
    assert runner.iter == 4
    assert (hook.sent, hook.ended) == ([], None)
    assert (f'Broken cannot begin, and the run goes on without it ({type(error).__name__}: '
            f'{error})') in log_lines


def test_a_server_that_does_not_answer(train, keep, log_lines, monkeypatch):
    """Neither at the start nor later: the run waits for the given times alone."""
    monkeypatch.setattr(tracker, 'START', 0.1)
    answers = threading.Event()

    class Silent(keep):
        def start(self, run):
            answers.wait(60)

    try:
        begin = time.monotonic()
        runner = train(Silent(finish_timeout=0.1))
        assert time.monotonic() - begin < 30
    finally:
        answers.set()
    assert runner.iter == 4
    assert 'Silent has not begun after 0.1 s; the training begins meanwhile' in log_lines
    assert any('entries that were not sent, as it did not answer for 0.1 s: ' in line
               for line in log_lines)


class Stop(Hook):
    """Raises an error after the first iteration."""

    def __init__(self, error):
        self.error = error

    def after_train_iter(self, runner):
        raise self.error


@pytest.mark.parametrize(('error', 'waited'), [
    (SystemExit(75), 0.1), (KeyboardInterrupt(), 0.1), (ValueError('broke'), 0.2)])
def test_a_run_that_was_told_to_stop_waits_for_less(train, keep, log_lines, monkeypatch, error,
                                                    waited):
    monkeypatch.setattr(tracker, 'INTERRUPTED', 0.1)
    monkeypatch.setattr(tracker, 'FINISH', 0.2)
    answers = threading.Event()

    class Silent(keep):
        def finish(self, error):
            answers.wait(60)

    try:
        with pytest.raises(type(error)):
            train(Silent(), evaluation=Stop(error))
    finally:
        answers.set()
    assert any(f'not sent, as it did not answer for {waited} s: ' in line for line in log_lines)


def test_a_long_end_says_for_what_it_waits(log_lines, monkeypatch):
    monkeypatch.setattr(background, 'QUIET', 0.1)
    waits = threading.Event()
    monkeypatch.setattr(logging.getLogger('mmseg'), 'info',
                        lambda text, *args: (log_lines.append(text % args), waits.set()))
    calls = background.BackgroundCalls('Slow', logging.getLogger('mmseg'))
    calls.call(waits.wait, 60)
    assert calls.close(60)
    assert 'Slow: entries that wait to be sent, for at most 60 s: 1' in log_lines


def test_a_tracker_that_does_not_keep_up(log_lines):
    release, done = threading.Event(), []
    calls = background.BackgroundCalls('Slow', logging.getLogger('mmseg'), most=2)
    calls.call(release.wait, 60)
    while not calls._calls.empty():  # until it waits
        time.sleep(0.01)
    for index in range(4):
        calls.call(done.append, index)
    release.set()
    assert calls.close(60)
    assert done == [0, 1]
    assert 'Slow: entries that were not sent: 2' in log_lines


def test_where_it_begins_instead_is_a_warning(train, keep, caplog):
    class Elsewhere(keep):
        def start(self, run):
            self._fallback = 'no server'
            return 'kept here'

    with caplog.at_level('INFO'):
        train(keep(), Elsewhere())
    levels = {record.getMessage(): record.levelname for record in caplog.records}
    assert levels['Keep: here'] == 'INFO'
    assert levels['Elsewhere: no server; kept here'] == 'WARNING'


def test_random_numbers_of_the_training_stay(train, keep):
    class Draw(keep):
        def start(self, run):
            self.drawn = random.random(), np.random.random()
            return 'here'

    hook = Draw()
    random.seed(5)
    np.random.seed(5)
    train(hook)
    first = random.random(), np.random.random()
    assert first == hook.drawn


@pytest.mark.parametrize(('error', 'ended'), [
    (ValueError('training broke'), ValueError), (SystemExit(75), SystemExit)])
def test_the_error_of_the_training(train, keep, error, ended):
    hook = keep(log_checkpoint='last')
    with pytest.raises(ended):
        train(hook, evaluation=Stop(error))
    assert hook.ended == [error]
    assert not any(entry[0] == 'last' for entry in hook.sent)


def test_a_resumed_run_sends_no_step_twice(train, keep, evaluate_at, tmp_path):
    meta = {'run_id': 'abc'}
    first = keep()
    train(first, evaluation=evaluate_at(4), meta=meta, length=4)
    state = tmp_path / 'work/.Keep.json'
    assert json.loads(state.read_text()) == {'run_id': 'abc', 'step': 4}

    def from_the_middle(runner):
        runner.resume(tmp_path / 'work/iter_2.pth')
    again = keep()
    train(again, evaluation=evaluate_at(4, 6), meta=meta, length=6, then=from_the_middle)
    assert list(again.scalars()) == [6]
    assert {step for step, _ in again.pictures()} == {6}

    other = keep()
    train(other, meta={'run_id': 'other'}, length=4)
    assert list(other.scalars()) == [2, 4]


def test_what_a_tracker_leaves_out_itself_is_sent_again(train, keep, tmp_path):
    class Careful(keep):
        drops_repeated = True

    train(Careful(), meta={'run_id': 'abc'}, length=4)
    again = Careful()
    train(again, meta={'run_id': 'abc'}, length=6,
          then=lambda runner: runner.resume(tmp_path / 'work/iter_2.pth'))
    assert list(again.scalars()) == [4, 6]


@pytest.mark.parametrize('rank', [0, 1])
def test_two_hooks_for_the_one_run_of_a_package_are_refused(train, keep, rank):
    class One(keep):
        package = 'one'

    class Other(One):
        pass

    with pytest.raises(ConfigError, match='hooks: One and Other would show two runs in one'):
        train(One(), Other(), then=lambda runner: setattr(runner, '_rank', rank))
    train(One(), keep())


def test_two_hooks_of_a_class_keep_apart(train, keep, tmp_path):
    train(keep(), keep(), meta={'run_id': 'abc'})
    assert {path.name for path in (tmp_path / 'work').glob('.Keep*')} == {
        '.Keep.json', '.Keep1.json'}


def test_a_damaged_state_is_none(train, keep, tmp_path):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work/.Keep.json').write_text('{"run_id": "ab')
    hook = keep()
    train(hook, meta={'run_id': 'abc'})
    assert list(hook.scalars()) == [2, 4]


def test_a_state_that_cannot_be_written(train, keep, tmp_path, log_lines):
    (tmp_path / 'work/.Keep.json').mkdir(parents=True)
    hook = keep()
    train(hook, meta={'run_id': 'abc'})
    assert list(hook.scalars()) == [2, 4]
    assert any('.Keep.json cannot be written' in line for line in log_lines)
