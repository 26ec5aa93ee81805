"""Names of scores that no evaluation will have are found before training."""
import pytest

from mmcv_replace.runner import EMAHook
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation.metric_names import (
    check_metric_name,
    infer_rule,
    listed,
    rule_of,
    score_names,
)
from mmseg.datasets.scores.scoring import ScoredDataset

CLASSES = ('person', 'traffic light', 'no. 2', '行人', 'a_ema')


@pytest.fixture
def scored(make_loader, dataset):
    """A hook over a data set whose scores are those of our own data sets."""
    dataset.__class__ = type('Scored', (ScoredDataset, type(dataset)), dict(CLASSES=CLASSES))

    def make(**options):
        return EvalHook(make_loader(), **{'groups': dict(vehicles=['person']), **options})
    return make


@pytest.fixture
def names(scored, make_runner):
    def of(ema=None, **options):
        hook = scored(**options)
        runner = make_runner(hook)
        if ema is not None:
            runner.register_hook(ema)
        return score_names(hook, runner)
    return of


OVERALL = {'aAcc', 'mIoU', 'mAcc', 'mIoU.vehicles', 'IoU.vehicles', 'Acc.vehicles', 'mAcc.vehicles',
           'aAcc.vehicles'}
SINGLE = {f'{score}.{name}' for score in ('IoU', 'Acc') for name in CLASSES}


def test_the_names_are_those_of_an_evaluation(names, dataset):
    assert set(names()) == OVERALL | SINGLE
    assert set(names(groups=None, metric=['mDice'])) == {'aAcc', 'mDice', 'mAcc', *(
        name.replace('IoU', 'Dice') for name in SINGLE)}


def test_averaged_weights_have_names_of_their_own(names):
    averaged = {f'{name}_ema' for name in OVERALL | SINGLE}
    assert set(names(EMAHook())) == OVERALL | SINGLE | averaged
    assert set(names(EMAHook(evaluate_on_origin=False))) == averaged


@pytest.mark.parametrize('name', [
    'mIoU', 'aAcc', 'IoU.person', 'IoU.traffic light', 'Acc.no. 2', 'IoU.行人', 'IoU.a_ema',
    'mIoU.vehicles', 'aAcc.vehicles', 'IoU.vehicles'])
def test_names_that_there_are(names, name):
    check_metric_name('key', name, names())


@pytest.mark.parametrize(('name', 'message'), [
    ('IoU.persn', r"key='IoU\.persn' is not among .*; did you mean 'IoU\.person'"),
    ('IoU.行', r"did you mean 'IoU\.行人'"),
    ('mIoU.vehicle', r"did you mean 'mIoU\.vehicles'"),
    ('aAcc.person', r"key='aAcc\.person' is not among .*; did you mean 'Acc\.person'"),
    ('???', r"of an evaluation: aAcc, .*, IoU\.no\. 2, \.\.\. \(6 of IoU\)$"),
    ('mIuO', r"did you mean 'mIoU'"),
    ('mDice', r"key='mDice' needs 'mDice' among evaluation\.metric"),
    ('Precision.person', r"needs 'mFscore' among evaluation\.metric"),
    ('mDice_ema', r"key='mDice_ema' needs 'mDice' among"),
    ('mIoU_ema', r"key='mIoU_ema' is a score of averaged weights, and needs an EMAHook"),
    ('val/loss', r"key='val/loss' needs evaluation\.val_loss=True"),
    ('val/loss_ema', r"key='val/loss_ema' needs evaluation\.val_loss=True"),
])
def test_names_that_there_are_not(names, name, message):
    with pytest.raises(ConfigError, match=message):
        check_metric_name('key', name, names())


def test_what_users_score_may_have_any_name(names, dataset, make_loader, make_runner):
    class Own(EvalHook):
        def evaluate(self, runner, results):
            pass

    hook = Own(make_loader())
    assert score_names(hook, make_runner(hook)) is None
    for method in ('evaluate', 'pre_eval'):
        setattr(dataset, method, lambda results, *args: {})
        assert names() is None
        delattr(dataset, method)
    dataset.CLASSES = None  # and no number of classes in the model
    assert names(groups=None) is None
    check_metric_name('key', 'anything', None)


@pytest.mark.parametrize('options', [
    dict(evaluation=dict(save_best='IoU.persn')),
    dict(evaluation=dict(save_best=['mIoU', 'IoU.persn'])),
    dict(hook=dict(type='EarlyStoppingHook', metric='IoU.persn')),
])
def test_settings_are_checked_before_training(make_runner, scored, train_loader, options):
    runner = make_runner(scored(**options.get('evaluation', {})))
    if 'hook' in options:
        runner.register_hook_from_cfg(options['hook'])
    with pytest.raises(ConfigError, match=r"(evaluation\.save_best|EarlyStoppingHook: metric)="
                                          r"'IoU\.persn' .* did you mean 'IoU\.person'"):
        runner.run([train_loader], [('train', 1)])
    assert runner.finished_iters == 0


def test_lists_in_messages_are_short():
    assert listed(['aAcc', 'mIoU', *(f'IoU.{i}' for i in range(4)), 'Acc.a', 'Acc.b.c']) == (
        'aAcc, mIoU, IoU.0, IoU.1, IoU.2, ... (4 of IoU), Acc.a, Acc.b.c')
    assert listed([]) == ''


@pytest.mark.parametrize(('metric', 'rule'), [
    ('mIoU', 'greater'), ('aAcc', 'greater'), ('mDice', 'greater'), ('mFscore', 'greater'),
    ('mPrecision', 'greater'), ('mRecall', 'greater'), ('val_loss', 'less'),
    ('boundary_error', 'less'), ('loss_of_iou', 'less'), ('speed', None),
    ('IoU.blossom', 'greater'), ('IoU.error sign', 'greater'), ('val.loss', 'less')])
def test_infer_rule(metric, rule):
    assert infer_rule(metric) == rule


def test_which_value_is_better():
    assert rule_of('key', 'speed', 'less') == 'less'
    assert rule_of('key', 'val/loss') == 'less'
    assert rule_of('key', 'val/loss', 'greater') == 'greater'
    with pytest.raises(ConfigError, match=r"key='speed': which value is better\? say rule="):
        rule_of('key', 'speed')
    with pytest.raises(ConfigError, match="'less'; did you mean 'mIoU'"):
        rule_of('key', 'mIuO')
