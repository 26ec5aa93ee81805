"""Names of scores that no evaluation will have are found before training."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation.metric_names import check_metric_name, listed

CLASSES = ('person', 'traffic light', 'no. 2', '行人', 'a_ema')


@pytest.fixture
def hook(make_loader, dataset):
    dataset.CLASSES = CLASSES
    dataset.score_groups = ('flat',)
    return EvalHook(make_loader(), groups=dict(vehicles=['person']))


@pytest.mark.parametrize('name', [
    'mIoU', 'aAcc', 'anything', 'IoU.person', 'IoU.traffic light', 'Acc.no. 2', 'Dice.行人',
    'IoU.person_ema', 'IoU.a_ema', 'IoU.a_ema_ema', 'IoU.flat', 'iIoU.x', 'mIoU.vehicles',
    'aAcc.vehicles_ema', 'IoU.vehicles', 'own.score'])
def test_names_that_there_may_be(hook, name):
    check_metric_name('key', name, hook)


@pytest.mark.parametrize(('name', 'message'), [
    ('IoU.persn', r"key='IoU\.persn': 'persn' is no class or group of them; did you mean 'person'"),
    ('IoU.行', "'行' is no class or group of them; did you mean '行人'"),
    ('mIoU.vehicle', r"'vehicle' is no group of evaluation\.groups; did you mean 'vehicles'"),
    ('aAcc.person', r"'person' is no group of evaluation\.groups$"),
    ('val/loss', r"key='val/loss' needs evaluation\.val_loss=True"),
])
def test_names_that_there_cannot_be(hook, name, message):
    with pytest.raises(ConfigError, match=message):
        check_metric_name('key', name, hook)


def test_data_of_users_may_have_any_score(hook, dataset):
    dataset.evaluate = lambda results: {}
    check_metric_name('key', 'IoU.persn', hook)
    check_metric_name('key', 'val/loss', hook)


@pytest.mark.parametrize('options', [
    dict(evaluation=dict(save_best='IoU.rod')),
    dict(evaluation=dict(save_best=['mIoU', 'IoU.rod'])),
    dict(hook=dict(type='EarlyStoppingHook', metric='IoU.rod')),
])
def test_settings_are_checked_before_training(make_runner, make_loader, train_loader, options):
    runner = make_runner(EvalHook(make_loader(), **options.get('evaluation', {})))
    if 'hook' in options:
        runner.register_hook_from_cfg(options['hook'])
    with pytest.raises(ConfigError, match=r"(evaluation\.save_best|EarlyStoppingHook: metric)="
                                          r"'IoU\.rod': .* did you mean 'road'"):
        runner.run([train_loader], [('train', 1)])
    assert runner.finished_iters == 0


def test_lists_in_messages_are_short():
    assert listed(['aAcc', 'mIoU', *(f'IoU.{i}' for i in range(4)), 'Acc.a', 'Acc.b.c']) == (
        'aAcc, mIoU, IoU.0, IoU.1, IoU.2, ... (4 of IoU), Acc.a, Acc.b.c')
    assert listed([]) == ''
