"""What the charts hold, against records written by hand."""
import math

import numpy as np
import pytest

from mmseg.report.classes import best_place, by_classes, class_bars, class_curves, class_of
from mmseg.report.confusion_chart import confused_pairs, confusion_chart
from mmseg.report.curves import (
    is_accuracy,
    is_loss,
    is_other,
    is_rate,
    loss_chart,
    score_chart,
    training_chart,
)
from mmseg.report.figures import POINTS, line, literal, thin
from mmseg.report.runs import find_run
from mmseg.report.speed import images_per_second

from .conftest import train_record, val_record, write_log, write_record


def by_name(figure):
    return {trace['name']: trace for trace in figure['data']}


@pytest.mark.parametrize(('key', 'kind'), [
    ('loss', is_loss), ('decode.loss_seg', is_loss), ('val/loss_ce', is_loss),
    ('aux_0.loss_dice', is_loss), ('lr', is_rate), ('lr.head', is_rate),
    ('decode.acc_seg', is_accuracy), ('loss_scale', is_other), ('grad_norm', is_other),
    ('momentum', is_other)])
def test_kinds_of_numbers(key, kind):
    assert [test(key) for test in (is_loss, is_rate, is_accuracy, is_other)] == [
        test is kind for test in (is_loss, is_rate, is_accuracy, is_other)]


@pytest.mark.parametrize('key', ['time', 'data_time', 'fps', 'memory', 'eta'])
def test_speed_is_in_no_other_chart(key):
    assert not any(test(key) for test in (is_loss, is_rate, is_accuracy, is_other))


@pytest.mark.parametrize(('score', 'classes', 'name'), [
    ('IoU.person', (), 'person'), ('IoU.person_ema', (), 'person'), ('mIoU', (), None),
    ('IoU.a.b', (), 'a.b'), ('Acc.x', ('x',), 'x'), ('IoU.vehicles', ('car',), None),
    ('decode.loss', (), None)])
def test_scores_of_classes(score, classes, name):
    assert class_of(score, classes) == name


def test_a_class_whose_name_has_the_word_loss_is_no_loss():
    assert not is_loss('IoU.blossom')


def test_losses(tmp_path):
    write_log(tmp_path, train_record(50, 2.0), train_record(100, None),
              val_record(100, 0.5, **{'val/loss': 1.5}))
    traces = by_name(loss_chart([find_run(tmp_path)]))
    assert list(traces) == ['loss', 'loss: not finite', 'decode.loss_seg',
                            'decode.loss_seg: not finite', 'val/loss']
    assert traces['loss']['x'] == [50, 100]
    assert traces['loss']['y'][0] == 2.0
    assert math.isnan(traces['loss']['y'][1])
    assert (traces['loss: not finite']['x'], traces['loss: not finite']['y']) == ([100], [2.0])
    assert (traces['val/loss']['x'], traces['val/loss']['y']) == ([100], [1.5])
    assert 'markers' in traces['val/loss']['mode']


def test_losses_of_a_validation_in_the_workflow(tmp_path):
    write_log(tmp_path, train_record(50), {'mode': 'val', 'epoch': 1, 'iter': 50, 'loss': 3.0})
    assert by_name(loss_chart([find_run(tmp_path)]))['val/loss']['y'] == [3.0]


def test_scores_of_log_and_records(tmp_path):
    write_log(tmp_path, train_record(50), val_record(
        50, 0.25, mIoU_ema=0.3, **{'IoU.aeroplane': 1}), run_id='a')
    write_record(tmp_path, 50, {'mIoU': 0.25, 'IoU.bicycle': 0.5}, run_id='a')
    write_record(tmp_path, 100, {'mIoU': 0.75, 'IoU.vehicles': 0.6, 'note': 'x'}, run_id='a')
    write_record(tmp_path, 100, {'mIoU': 0.8}, run_id='a', averaged=True)
    traces = by_name(score_chart([find_run(tmp_path)]))
    assert (traces['mIoU']['x'], traces['mIoU']['y']) == ([50, 100], [0.25, 0.75])
    assert traces['mIoU_ema']['y'] == [0.3, 0.8]
    assert traces['IoU.vehicles']['visible'] == 'legendonly'  # a group of classes
    assert set(traces) == {'mIoU', 'mIoU_ema', 'mAcc', 'aAcc', 'IoU.vehicles'}
    assert list(traces)[0] == 'mIoU'


def test_several_runs_have_colours_and_names(tmp_path):
    for name in ('one', 'two'):
        write_log(tmp_path / name, train_record(50), val_record(50, 0.5))
    runs = [find_run(tmp_path / name) for name in ('one', 'two')]
    for figure in (loss_chart(runs), score_chart(runs)):
        traces = figure['data']
        shown = [trace for trace in traces if 'visible' not in trace]
        assert [trace['name'].partition(': ')[0] for trace in shown] == ['one', 'two']
        assert len({trace['line']['color'] for trace in traces}) == 2
    assert {trace['line']['dash'] for trace in loss_chart(runs)['data']} == {'solid', 'dot'}


def test_resumes_are_marked(tmp_path):
    write_log(tmp_path, *map(train_record, (50, 100)), run_id='a')
    write_log(tmp_path, *map(train_record, (150, 200)), run_id='a', stamp='20260103_000000')
    figure = training_chart([find_run(tmp_path)], is_rate, 'rate')
    assert [shape['x0'] for shape in figure['layout']['shapes']] == [100]


def test_no_numbers_make_no_chart(tmp_path):
    write_log(tmp_path)
    run = find_run(tmp_path)
    assert loss_chart([run]) is score_chart([run]) is class_curves(run) is None
    assert training_chart([run], is_rate, 'rate') is None
    assert by_classes([run]) == []
    assert best_place(run) is None


@pytest.fixture
def evaluated(tmp_path):
    """Three evaluations, the second of which is the best."""
    write_log(tmp_path, *map(train_record, (50, 100, 150)), run_id='a')
    for done, *scores in ((50, 0.1, 0.2, math.nan), (100, 0.5, 0.9, 0.4), (150, 0.6, 0.1, 0.5)):
        write_record(tmp_path, done, {f'IoU.{name}': value for name, value in zip(
            ('background', 'aeroplane', 'bicycle'), scores, strict=True)}, run_id='a')
    return find_run(tmp_path)


def test_bars_are_sorted_by_the_best_evaluation(evaluated):
    best, last = class_bars([evaluated], named=False)['data']
    assert best_place(evaluated) == 100
    assert best['y'] == last['y'] == ['aeroplane', 'background', 'bicycle']
    assert best['x'] == [0.9, 0.5, 0.4]
    assert last['x'] == [0.1, 0.6, 0.5]
    assert (best['name'], last['name']) == ('best, iteration 100', 'last, iteration 150')


def test_classes_over_time(evaluated):
    traces = by_name(class_curves(evaluated))
    assert list(traces) == ['background', 'bicycle', 'aeroplane']  # by the last evaluation
    assert traces['aeroplane']['x'] == [50, 100, 150]
    assert traces['aeroplane']['y'] == [0.2, 0.9, 0.1]
    assert math.isnan(traces['bicycle']['y'][0])


def test_of_many_classes_the_best_and_the_worst_are_shown(tmp_path):
    classes = [f'c{number}' for number in range(171)]
    write_log(tmp_path, train_record(50), run_id='a')
    write_record(tmp_path, 50, {f'IoU.{name}': number / 171 for number, name in enumerate(classes)},
                 classes=classes, run_id='a')
    traces = class_curves(find_run(tmp_path))['data']
    assert len(traces) == 171
    assert [trace['name'] for trace in traces if 'visible' not in trace] == [
        'c170', 'c169', 'c168', 'c2', 'c1', 'c0']


def test_classes_of_a_log_of_0x(tmp_path):
    write_log(tmp_path, train_record(50), val_record(50, 0.5, **{'IoU.a': 0.25, 'IoU.b': 0.75}))
    bars, = class_bars([find_run(tmp_path)], named=False)['data']
    assert (bars['y'], bars['x']) == (['b', 'a'], [0.75, 0.25])


def test_classes_of_averaged_weights_alone(tmp_path):
    write_log(tmp_path, train_record(50), run_id='a')
    write_record(tmp_path, 50, {'IoU.background': 0.5}, run_id='a', averaged=True)
    bars, = class_bars([find_run(tmp_path)], named=False)['data']
    assert bars['x'] == [0.5]


def test_averaged_weights_have_a_bar_too(tmp_path):
    write_log(tmp_path, train_record(50), run_id='a')
    for averaged, value in ((False, 0.5), (True, 0.75)):
        write_record(tmp_path, 50, {'IoU.background': value}, run_id='a', averaged=averaged)
    trained, averaged = class_bars([find_run(tmp_path)], named=False)['data']
    assert (trained['name'], trained['x']) == ('best, iteration 50', [0.5])
    assert (averaged['name'], averaged['x']) == ('averaged weights, iteration 50', [0.75])
    # With another run the bars would be too many.
    assert len(class_bars([find_run(tmp_path)] * 2, named=True)['data']) == 2


def test_averaged_weights_have_the_colour_of_the_trained_ones(tmp_path):
    scores = {f'{name}{end}': 0.5 for end in ('', '_ema') for name in (
        'aAcc', 'mIoU', 'mIoU.vehicles', 'val/loss_seg', 'val/loss')}
    write_log(tmp_path, train_record(50), {'mode': 'val', 'epoch': 1, 'iter': 50, **scores})
    for figure, names in ((score_chart([find_run(tmp_path)]), ('mIoU', 'aAcc', 'mIoU.vehicles')),
                          (loss_chart([find_run(tmp_path)]), ('val/loss', 'val/loss_seg'))):
        traces = [trace for trace in figure['data'] if trace['mode'] == 'lines+markers'
                  and trace['name'].removesuffix('_ema') in names]
        assert [trace['name'] for trace in traces] == [
            each for name in names for each in (name, f'{name}_ema')]
        for trained, averaged in zip(traces[::2], traces[1::2], strict=True):
            assert trained['line']['color'] == averaged['line']['color']
            assert (trained['line']['dash'], averaged['line']['dash']) == ('solid', 'dot')
            assert trained.get('visible') == averaged.get('visible')


def test_runs_of_other_classes_have_charts_of_their_own(tmp_path):
    for name, classes in (('one', 'ab'), ('two', 'ba'), ('three', 'c')):
        write_log(tmp_path / name, train_record(50), run_id='a')
        write_record(tmp_path / name, 50, {f'IoU.{each}': 0.5 for each in classes}, classes=classes,
                     run_id='a')
    groups = by_classes([find_run(tmp_path / name) for name in ('one', 'two', 'three')])
    assert [[run.name for run in group] for group in groups] == [['one', 'two'], ['three']]
    assert [bar['name'] for bar in class_bars(groups[0], named=True)['data']] == [
        'one: best, iteration 50', 'two: best, iteration 50']


def test_confusion_is_shown_in_shares():
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    figure = confusion_chart(matrix, ['a', 'b', 'c'])
    trace, = figure['data']
    assert trace['x'] == trace['y'] == ['a', 'b', 'c']
    assert trace['z'] == [[0.75, 0.25, 0], [0.25, 0.75, 0], [None] * 3]
    assert trace['customdata'] is matrix
    other = figure['layout']['updatemenus'][0]['buttons'][1]
    assert other['args'][0]['z'] == [[[0.8571, 0.4, None], [0.1429, 0.6, None], [0, 0, None]]]


def test_classes_of_equal_names_stay_apart_and_lacking_names_are_numbers():
    assert confusion_chart(np.eye(3), ['a', 'a', 'b'])['data'][0]['x'] == ['a (0)', 'a (1)', 'b']
    assert confusion_chart(np.eye(2), ())['data'][0]['x'] == ['0', '1']
    assert confusion_chart(np.eye(2), ['a'])['data'][0]['x'] == ['0', '1']
    assert confusion_chart(np.eye(1), ['a'])['data'][0]['z'] == [[1.0]]


def test_long_names_leave_room_for_the_cells():
    long = 'a name of a class & more than it needs'
    figure = confusion_chart(np.eye(2), ['a', long])
    assert figure['data'][0]['x'] == ['a', long.replace('&', '&amp;')]
    for axis in ('xaxis', 'yaxis'):
        assert figure['layout'][axis]['tickvals'] == [0, 1]
        assert figure['layout'][axis]['ticktext'] == ['a', 'a name of a class &amp;…']
    many = confusion_chart(np.eye(41), [long, *map(str, range(40))])
    assert 'ticktext' not in many['layout']['xaxis']  # as many as fit, and all of them enlarged


def test_the_most_frequent_confusions():
    matrix = np.array([[6, 2, 0], [9, 1, 0], [0, 0, 5]])
    assert confused_pairs(matrix, ['a', 'b', 'c']) == [('b', 'a', 0.9, 9), ('a', 'b', 0.25, 2)]
    assert confused_pairs(np.eye(2), ['a', 'b']) == []


def test_of_many_points_the_extremes_stay():
    x = list(range(100_000))
    y = [math.sin(place / 1000) for place in x]
    y[50_001], y[70_001] = 99.0, -99.0
    y[60_001] = math.nan
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) <= POINTS + 2
    assert {50_001, 70_001, 60_001, 0, 99_999} <= set(thin_x)
    assert thin_x == sorted(thin_x)
    assert all(y[place] == value or math.isnan(value)
               for place, value in zip(thin_x, thin_y, strict=True))


def test_few_points_stay_as_they_are():
    assert thin([1, 2], [3.0, 4.0]) == ([1, 2], [3.0, 4.0])


def test_a_line_of_one_point_is_a_point():
    assert line('x', [1], [2.0], 0)['mode'] == 'lines+markers'


def test_texts_are_taken_literally():
    assert literal('a<b>&lt;') == 'a&lt;b&gt;&amp;lt;'


def test_images_per_second():
    # 128 images a step: 50 steps in 64 s, then 50 in 32 s: 12800 images in 96 s.
    records = [{'iter': 3, 'fps': 1.0}, {'iter': 50, 'fps': 100.0}, {'iter': 100, 'fps': 200.0}]
    assert images_per_second(records) == pytest.approx(12800 / 96)
    assert images_per_second(records[:1]) == 1.0
    assert images_per_second([{'iter': 50}, {'iter': 51, 'fps': math.nan}]) is None
