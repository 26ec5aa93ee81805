"""Evaluation of trained and averaged weights side by side."""
import logging

import pytest
import torch

from mmcv_replace.runner import EMAHook
from mmseg.core import EvalHook
from mmseg.core.evaluation import eval_hooks


@pytest.fixture
def run(make_runner, make_loader, train_loader, model, monkeypatch):
    """Train with averaging; the score of an evaluation is the weight that it sees."""
    def start(ema=(), length=4, **options):
        seen = []

        def evaluate(model, loader, logger, **kwargs):
            seen.append(model.module.weight.item())
            return {'mIoU': seen[-1], 'IoU.sky': 0.5, 'aAcc': 0.1}

        monkeypatch.setattr(eval_hooks, 'evaluate_model', evaluate)
        hook = EvalHook(make_loader(), interval=2, **{'rule': 'less', **options})
        runner = make_runner(hook, length)
        runner.register_optimizer_hook({})
        runner.register_hook_from_cfg({'type': 'EMAHook', 'momentum': 0.5, 'warm_up': 1}
                                      | dict(ema))
        logged = []
        monkeypatch.setattr(logging.getLogger('mmseg'), 'info', lambda *args: None)
        log = hook.run_evaluation

        def evaluate_and_note(runner, done):
            log(runner, done)
            logged.append(dict(runner.log_buffer.output))

        monkeypatch.setattr(hook, 'run_evaluation', evaluate_and_note)
        runner.run([train_loader], [('train', 1)])
        return runner, seen, logged
    return start


# The weight begins at 1 and loses 0.1 a step; half of the way is averaged each time.
TRAINED = [0.8, 0.6]
AVERAGED = [0.875, 0.69375]


def test_both_are_scored_and_logged(run):
    _, seen, logged = run()
    assert seen == pytest.approx([TRAINED[0], AVERAGED[0], TRAINED[1], AVERAGED[1]])
    assert logged[0] == pytest.approx({'mIoU': TRAINED[0], 'aAcc': 0.1, 'mIoU_ema': AVERAGED[0],
                                       'aAcc_ema': 0.1})


def test_only_the_averaged(run):
    _, seen, logged = run({'evaluate_on_origin': False})
    assert seen == pytest.approx(AVERAGED)
    assert set(logged[0]) == {'mIoU_ema', 'aAcc_ema'}


@pytest.mark.parametrize(('save_best', 'rule', 'name', 'weight', 'other_key', 'other'), [
    ('auto', 'less', 'best_mIoU_iter_4.pth', TRAINED[1], 'ema_state_dict', AVERAGED[1]),
    ('auto', 'greater', 'best_mIoU_ema_iter_2.pth', AVERAGED[0], 'raw_state_dict', TRAINED[0]),
    ('mIoU_ema', 'less', 'best_mIoU_ema_iter_4.pth', AVERAGED[1], 'raw_state_dict', TRAINED[1]),
    ('mIoU', 'less', 'best_mIoU_iter_4.pth', TRAINED[1], 'ema_state_dict', AVERAGED[1]),
    ('mIoU', 'greater', 'best_mIoU_iter_2.pth', TRAINED[0], 'ema_state_dict', AVERAGED[0]),
])
def test_the_best_checkpoint_has_the_weights_of_its_score(
        run, tmp_path, save_best, rule, name, weight, other_key, other):
    runner, _, _ = run(save_best=save_best, rule=rule)
    file, = tmp_path.glob('best_*.pth')
    assert file.name == name
    assert runner.hook_msgs['best_score'] == pytest.approx(weight)
    assert name.startswith(f'best_{runner.hook_msgs["best_metric"]}_iter')
    saved = torch.load(file, weights_only=True)
    assert saved['state_dict']['weight'].item() == pytest.approx(weight)
    assert saved[other_key]['weight'].item() == pytest.approx(other)
    assert {'raw_state_dict', 'ema_state_dict'} & set(saved) == {other_key}


@pytest.fixture
def compete(make_runner, make_loader, train_loader, tmp_path, monkeypatch):
    """Train with these pairs of scores, of trained and averaged weights; returns the best files."""
    def start(*pairs, resume=None, length=None, run_id='one', begun_from=None, **options):
        scores = iter([score for pair in pairs for score in pair])
        monkeypatch.setattr(eval_hooks, 'evaluate_model',
                            lambda *args, **kwargs: {'aAcc': 0.5, 'mIoU': next(scores)})
        runner = make_runner(EvalHook(make_loader(), **options), length or len(pairs),
                             meta={'run_id': run_id})
        runner.register_training_hooks({'policy': 'fixed'}, {}, {'interval': 1, 'by_epoch': False})
        runner.register_hook_from_cfg({'type': 'EMAHook'})
        if resume is not None:
            runner.resume(tmp_path / resume)
        if begun_from is not None:
            runner.begins_from(tmp_path / begun_from)
        runner.run([train_loader], [('train', 1)])
        return [file.name for file in tmp_path.glob('best_*.pth')]
    return start


@pytest.mark.parametrize(('pairs', 'expected'), [
    ([(0.5, 0.1), (0.4, 0.6)], 'best_mIoU_ema_iter_2.pth'),
    ([(0.5, 0.7), (0.8, 0.6)], 'best_mIoU_iter_2.pth'),
    ([(0.5, 0.7), (0.6, 0.65)], 'best_mIoU_ema_iter_1.pth'),
    ([(0.5, 0.5)], 'best_mIoU_iter_1.pth'),
    ([(float('nan'), 0.2)], 'best_mIoU_ema_iter_1.pth'),
    ([(0.3, float('nan')), (0.2, float('nan'))], 'best_mIoU_iter_1.pth'),
])
def test_the_better_of_both_is_the_one_best(compete, pairs, expected):
    assert compete(*pairs) == [expected]


@pytest.mark.parametrize(('more', 'expected'), [
    ((0.6, 0.1), 'best_mIoU_ema_iter_1.pth'), ((0.8, 0.1), 'best_mIoU_iter_2.pth'),
    ((0.1, 0.8), 'best_mIoU_ema_iter_2.pth')])
def test_a_resumed_run_knows_whichever_was_the_best(compete, more, expected):
    compete((0.5, 0.7))
    assert compete(more, resume='iter_1.pth', length=2) == [expected]


def test_a_kill_between_two_bests_leaves_the_newer(compete, tmp_path):
    """The former is there still; a best of other metrics is none of them."""
    compete((0.5, 0.7))
    (tmp_path / 'best_mIoU_ema_iter_1.pth').rename(tmp_path / 'former')
    compete((0.8, 0.1), resume='iter_1.pth', length=2)
    for name in ('best_mIoU_ema_iter_1.pth', 'best_mAcc_iter_1.pth'):
        (tmp_path / name).write_bytes((tmp_path / 'former').read_bytes())
    found = compete((0.75, 0.1), resume='iter_2.pth', length=3)
    assert sorted(found) == ['best_mAcc_iter_1.pth', 'best_mIoU_iter_2.pth']


def test_a_former_best_from_which_the_run_began_stays(compete, tmp_path):
    former = tmp_path / 'best_mIoU_ema_iter_1.pth'
    compete((0.5, 0.7))
    content = former.read_bytes()
    compete((0.8, 0.1), resume='iter_1.pth', length=2)
    former.write_bytes(content)
    found = compete((0.9, 0.1), resume='iter_2.pth', length=3, begun_from=former.name)
    assert sorted(found) == [former.name, 'best_mIoU_iter_3.pth']


def test_the_log_says_whose_the_best_is(compete, caplog):
    with caplog.at_level('INFO'):
        compete((0.5, 0.7), (0.8, 0.1))
    said = [line for line in caplog.messages if line.startswith('best ')]
    assert said[0].startswith('best mIoU_ema so far: 0.7000 of the averaged weights, kept as ')
    assert said[1].startswith('best mIoU so far: 0.8000, kept as ')


def test_a_best_of_trained_weights_is_not_mistaken_for_one_of_averaged_weights(run, tmp_path):
    runner, _, _ = run(save_best='mIoU')
    (tmp_path / 'best_mIoU_ema_iter_1.pth').write_bytes(b'of another run')
    runner.hook_msgs.update(best_score=0.0, best_ckpt=str(tmp_path / 'best_mIoU_ema_iter_1.pth'))
    hook = next(hook for hook in runner.hooks if isinstance(hook, EvalHook))
    hook._save_best(runner, {'mIoU': 0.5}, 5)
    assert (tmp_path / 'best_mIoU_ema_iter_1.pth').exists()
    assert runner.hook_msgs['best_score'] == 0.5


def test_a_failed_evaluation_leaves_the_trained_weights(run, model, monkeypatch, make_runner,
                                                        make_loader, train_loader):
    def fail(model, loader, logger, **kwargs):
        if model.module.weight.item() != pytest.approx(TRAINED[0]):
            raise ZeroDivisionError
        return {'mIoU': 0.5}

    monkeypatch.setattr(eval_hooks, 'evaluate_model', fail)
    runner = make_runner(EvalHook(make_loader(), interval=2), 4)
    runner.register_optimizer_hook({})
    runner.register_hook_from_cfg({'type': 'EMAHook', 'momentum': 0.5})
    with pytest.raises(ZeroDivisionError):
        runner.run([train_loader], [('train', 1)])
    assert model.module.weight.item() == pytest.approx(TRAINED[0])
    hook = next(hook for hook in runner.hooks if isinstance(hook, EMAHook))
    averaged = hook.average.put_into(model.module.state_dict())['weight'].item()
    assert averaged != pytest.approx(TRAINED[0])
