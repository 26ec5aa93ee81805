"""What is done with a stream of predictions."""
from pathlib import Path

import numpy as np
import pytest
import torch

from mmcv_replace.image import to_displayable
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation import (
    CollectSegMaps,
    ConfusionMatrix,
    Prediction,
    Score,
    ShowProgress,
    Sink,
    WriteOverlays,
    WriteSubmission,
    predict,
    relabel,
    run_sinks,
)


def some(count=3):
    """Predictions of images that belong to no data set."""
    for index in range(count):
        yield Prediction(index, np.full((2, 3), index), {},
                         load=lambda value=index: np.full((2, 3, 3), value, np.uint8))


class Recorder(Sink):
    """Notes what it is asked to do; fails where it is told to."""

    def __init__(self, log, name='sink', fails=None):
        self.log, self.name, self.fails = log, name, fails

    def _note(self, call):
        self.log.append((self.name, call))
        if call == self.fails:
            raise ValueError(f'{self.name} fails in {call}')

    def add(self, prediction):
        self._note(prediction.index)

    def finish(self):
        self._note('finish')

    def close(self):
        self._note('close')


# ------------------------------------------------------------------ the driver


def test_each_prediction_goes_to_all_sinks_and_each_is_closed_once():
    log, pulled = [], []

    def stream():
        for prediction in some(2):
            pulled.append(len(log))
            yield prediction

    run_sinks(stream(), [Recorder(log, 'a'), Recorder(log, 'b')])
    assert log == [('a', 0), ('b', 0), ('a', 1), ('b', 1), ('a', 'finish'), ('b', 'finish'),
                   ('b', 'close'), ('a', 'close')]
    assert pulled == [0, 2]  # one is pulled when the one before it is done


@pytest.mark.parametrize('fails', [1, 'finish', 'close'])
@pytest.mark.parametrize('place', [0, 1, 2])
def test_an_error_in_a_sink_closes_the_others_and_the_stream(fails, place):
    log, ended = [], []

    def stream():
        try:
            yield from some()
        finally:
            ended.append(True)

    sinks = [Recorder(log, str(i), fails if i == place else None) for i in range(3)]
    with pytest.raises(ValueError, match=f'{place} fails in {fails}'):
        run_sinks(stream(), sinks)
    assert ended == [True]
    closed = [name for name, call in log if call == 'close']
    assert sorted(closed) == ['0', '1', '2']
    finished = [name for name, call in log if call == 'finish']
    assert finished == {1: [], 'finish': ['0', '1', '2'][:place + 1],
                        'close': ['0', '1', '2']}[fails]


def test_an_error_in_the_stream_closes_the_sinks():
    def stream():
        yield from some(1)
        raise DataError('no such file')

    log = []
    with pytest.raises(DataError, match='no such file'):
        run_sinks(stream(), [Recorder(log)])
    assert log == [('sink', 0), ('sink', 'close')]


def test_a_sink_has_to_add():
    with pytest.raises(NotImplementedError):
        run_sinks(some(), [Sink()])


# ------------------------------------------------------------------ scores


def scored(predictions, dataset):
    score = Score(dataset)
    run_sinks(predictions, [score])
    return score.confusion


def test_score_compares_with_the_annotation_of_the_same_index(model, dataset, make_loader):
    expected = ConfusionMatrix(3)
    for pred, label in zip(dataset.preds, dataset.labels, strict=True):
        expected.update(pred, label)
    found = scored(predict(model, make_loader(2)), dataset)
    np.testing.assert_array_equal(found.matrix, expected.matrix)


def test_score_heeds_the_ignore_index(model, dataset, make_loader):
    dataset.ignore_index = 1
    assert not scored(predict(model, make_loader()), dataset).matrix[1].any()


def test_score_names_the_sample(model, dataset, make_loader):
    dataset.labels[3] = dataset.labels[3][1:]
    with pytest.raises(DataError, match=r'city/3\.png: the prediction is'):
        scored(predict(model, make_loader()), dataset)


def test_without_classes_the_data_set_scores_all_label_maps(model, dataset, make_loader):
    dataset.CLASSES = None
    score = Score(dataset)
    run_sinks(predict(model, make_loader()), [score])

    assert score.confusion is None
    for (index, results), expected in zip(score.results, enumerate(dataset.preds), strict=True):
        assert index == expected[0]
        np.testing.assert_array_equal(results[0], expected[1])


def test_without_classes_those_of_the_model_are_counted(model, dataset, make_loader):
    expected = scored(predict(model, make_loader()), dataset).matrix
    dataset.CLASSES = None
    score = Score(dataset, num_classes=4)
    run_sinks(predict(model, make_loader()), [score])
    assert score.results == []
    np.testing.assert_array_equal(score.confusion.matrix, np.pad(expected, (0, 1)))


# ------------------------------------------------------------------ overlays


def test_overlays_are_drawn_by_the_model(model, dataset, make_loader, tmp_path):
    run_sinks(predict(model, make_loader(2)),
              [WriteOverlays(model, tmp_path, show=True, opacity=0.3, palette=dataset.PALETTE)])
    assert len(model.module.shown) == 7
    for index, call in enumerate(model.module.shown):
        np.testing.assert_array_equal(call['img'], dataset.get_original_image(index))
        np.testing.assert_array_equal(call['result'][0], dataset.preds[index])
        assert call['out_file'] == str(tmp_path / f'city/{index}.png')
        assert call['palette'] is dataset.PALETTE
        assert (call['show'], call['opacity']) == (True, 0.3)


def test_overlays_without_folder_write_nothing(model, dataset, make_loader):
    run_sinks(predict(model, make_loader()), [WriteOverlays(model)])
    assert {call['out_file'] for call in model.module.shown} == {None}


def test_overlays_of_images_without_a_data_set(model, tmp_path):
    run_sinks(some(), [WriteOverlays(model, tmp_path)])
    assert [call['out_file'] for call in model.module.shown] == [
        str(tmp_path / f'sample_{index}.png') for index in range(3)]
    assert [call['img'][0, 0, 0] for call in model.module.shown] == [0, 1, 2]
    run_sinks(some(1), [WriteOverlays(model, tmp_path, file_name=lambda one: f'{one.index}.jpg')])
    assert model.module.shown[3]['out_file'] == str(tmp_path / '0.jpg')


@pytest.mark.parametrize(('name', 'expected'), [
    ('a/b.jpg', 'a/b.jpg'), ('b.PNG', 'b.PNG'), ('b.tif', 'b.tif'), ('b.npy', 'b.npy.png'),
    ('b.pgm', 'b.pgm.png'), ('b.v2/c', 'b.v2/c.png')])
def test_names_of_overlays(model, tmp_path, name, expected):
    prediction = next(some())
    prediction.meta['ori_filename'] = name
    run_sinks([prediction], [WriteOverlays(model, tmp_path)])
    assert model.module.shown[0]['out_file'] == str(tmp_path / expected)


def five_bands():
    img = (np.random.default_rng(0).random((6, 7, 5)) * 3000).astype(np.uint16)
    yield Prediction(0, np.zeros((6, 7), int), {}, load=lambda: img)


class ShowsBands(torch.nn.Module):
    def __init__(self, input_bands=None):
        super().__init__()
        self.input_bands = input_bands
        self.calls = []

    def show_result(self, img, result, bands=None, **options):
        self.calls.append((img, bands))


@pytest.mark.parametrize(('chosen', 'of_model', 'shown'), [
    ((4, 2, 3), None, (4, 2, 3)), ((4, 2, 3), 5, (4, 2, 3)), (None, 5, (0, 1, 2)),
    (None, 1, (0,)), ((3,), 5, (3,))])
def test_overlays_of_chosen_bands(model, chosen, of_model, shown):
    img = next(five_bands()).read_image()
    ours = ShowsBands(of_model)
    run_sinks(five_bands(), [WriteOverlays(ours, bands=chosen)])
    (given, bands), = ours.calls
    assert (given.shape, bands) == ((6, 7, 5), shown)
    model.module.input_bands = of_model
    run_sinks(five_bands(), [WriteOverlays(model, bands=chosen)])  # a user's own has no bands
    np.testing.assert_array_equal(model.module.shown[0]['img'], to_displayable(img, shown))


# ------------------------------------------------------------------ submissions


def test_submissions_are_written_one_at_a_time(model, dataset, make_loader, tmp_path):
    run_sinks(predict(model, make_loader(2)), [WriteSubmission(dataset, tmp_path)])
    assert [call[2] for call in dataset.formatted] == [[index] for index in range(7)]
    for index, (results, out_dir, _) in enumerate(dataset.formatted):
        np.testing.assert_array_equal(results[0], dataset.preds[index])
        assert Path(out_dir) == tmp_path


class AllAtOnce:
    """A data set of a user that writes all results together, in the order of the samples."""

    def __init__(self):
        self.written = []

    def format_results(self, results, out_dir, kind='png'):
        self.written.append(([int(result[0, 0]) for result in results], out_dir, kind))


def test_a_format_without_indices_gets_all_results_at_the_end(tmp_path):
    dataset = AllAtOnce()
    run_sinks(reversed(list(some())), [WriteSubmission(dataset, tmp_path, kind='tif')])
    assert dataset.written == [([0, 1, 2], str(tmp_path), 'tif')]


def test_nothing_is_written_at_the_end_of_a_run_that_failed(tmp_path):
    dataset = AllAtOnce()
    with pytest.raises(ValueError, match='fails in 2'):
        run_sinks(some(), [WriteSubmission(dataset, tmp_path), Recorder([], fails=2)])
    assert dataset.written == []


def test_an_option_that_format_results_lacks(tmp_path):
    with pytest.raises(ConfigError, match='--eval-options sort=...: format_results'):
        WriteSubmission(AllAtOnce(), tmp_path, sort=True)


# ------------------------------------------------------------------ the rest


def test_collected_maps(model, dataset, make_loader):
    collect = CollectSegMaps()
    run_sinks(predict(model, make_loader()), [collect])
    assert [index for index, _ in collect.results] == list(range(7))
    np.testing.assert_array_equal(collect.results[4][1], dataset.preds[4])


def test_relabelled_classes_and_their_scores():
    order = [2, 0, 1]
    seg_map = np.array([[0, 1, 2]])
    scores = np.arange(9, dtype=np.float32).reshape(3, 1, 3)
    both = [Prediction(5, seg_map, {}, scores), Prediction(6, seg_map, {}, scores[0]),
            Prediction(7, seg_map, {})]
    first, second, third = relabel(both, order)
    assert first.index == 5
    assert first.seg_map.tolist() == [[2, 0, 1]]
    for old, new in enumerate(order):
        np.testing.assert_array_equal(first.scores[new], scores[old])
    np.testing.assert_array_equal(second.scores, scores[0])  # a confidence has no classes
    assert third.scores is None
    assert seg_map.tolist() == [[0, 1, 2]]


def test_progress_shows_the_count_on_rank_0_only(capsys, monkeypatch):
    run_sinks(some(), [ShowProgress(3)])
    assert '3/3' in capsys.readouterr().err
    progress = ShowProgress(5)
    progress.leave_out()
    progress.leave_out()
    run_sinks(some(), [progress])
    assert '3/3' in capsys.readouterr().err
    monkeypatch.setattr('mmseg.core.evaluation.sinks.get_dist_info', lambda: (1, 2))
    run_sinks(some(), [ShowProgress(3)])
    assert capsys.readouterr().err == ''
