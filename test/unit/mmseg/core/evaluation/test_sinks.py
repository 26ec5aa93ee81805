"""What is done with a stream of predictions."""
from pathlib import Path

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import (
    ConfusionMatrix,
    formatted,
    kept,
    painted,
    predict,
    score,
    with_progress,
)
from mmseg.core.evaluation.sinks import original_image


def exhaust(stream):
    for _ in stream:
        pass


def test_score_compares_with_the_annotation_of_the_same_index(model, dataset, make_loader):
    expected = ConfusionMatrix(3)
    for pred, label in zip(dataset.preds, dataset.labels, strict=True):
        expected.update(pred, label)
    found = score(predict(model, make_loader(2)), dataset)
    np.testing.assert_array_equal(found.matrix, expected.matrix)


def test_score_heeds_the_ignore_index(model, dataset, make_loader):
    dataset.ignore_index = 1
    assert not score(predict(model, make_loader()), dataset).matrix[1].any()


def test_score_names_the_sample(model, dataset, make_loader):
    dataset.labels[3] = dataset.labels[3][1:]
    with pytest.raises(DataError, match=r'city/3\.png: the prediction is'):
        score(predict(model, make_loader()), dataset)


def test_score_needs_classes(model, dataset, make_loader):
    dataset.CLASSES = None
    with pytest.raises(DataError, match="TinyDataset has no CLASSES.*'classes'"):
        score(predict(model, make_loader()), dataset)


def test_painted_hands_image_and_result_to_the_model(model, dataset, make_loader, tmp_path):
    stream = predict(model, make_loader(2), with_image=True)
    passed = list(painted(stream, model, dataset, tmp_path, show=True, opacity=0.3))
    assert [prediction.index for prediction in passed] == list(range(7))
    for index, call in enumerate(model.module.shown):
        np.testing.assert_array_equal(call['img'], dataset.image(index))
        np.testing.assert_array_equal(call['result'][0], dataset.preds[index])
        assert call['out_file'] == str(tmp_path / f'city/{index}.png')
        assert call['palette'] is dataset.PALETTE
        assert (call['show'], call['opacity']) == (True, 0.3)


def test_painted_without_folder_writes_nothing(model, dataset, make_loader):
    exhaust(painted(predict(model, make_loader(), with_image=True), model, dataset))
    assert {call['out_file'] for call in model.module.shown} == {None}


def test_file_without_name_gets_a_number(model, dataset, make_loader, tmp_path):
    first = next(predict(model, make_loader(), with_image=True))
    first.meta['ori_filename'] = None
    exhaust(painted([first], model, dataset, tmp_path))
    assert model.module.shown[0]['out_file'] == str(tmp_path / 'sample_0.png')


@pytest.mark.parametrize(('name', 'expected'), [
    ('a/b.jpg', 'a/b.jpg'), ('b.PNG', 'b.PNG'), ('b.tif', 'b.tif'), ('b.npy', 'b.npy.png'),
    ('b.pgm', 'b.pgm.png'), ('b.v2/c', 'b.v2/c.png')])
def test_names_of_painted_files(model, dataset, make_loader, tmp_path, name, expected):
    first = next(predict(model, make_loader(), with_image=True))
    first.meta['ori_filename'] = name
    exhaust(painted([first], model, dataset, tmp_path))
    assert model.module.shown[0]['out_file'] == str(tmp_path / expected)


def test_original_image_has_the_original_size_and_colours(model, make_loader):
    prediction = next(predict(model, make_loader(), with_image=True))
    plain = prediction.image * 0
    plain[0] = (200 - 120) / 60
    meta = prediction.meta | {'img_shape': (3, 4, 3), 'ori_shape': (30, 40, 3)}
    image = original_image(type(prediction)(0, prediction.label_map, meta, plain))
    assert image.shape == (30, 40, 3)
    assert (image == (100, 110, 200)).all()
    meta['img_norm_cfg'] = dict(meta['img_norm_cfg'], to_rgb=False)
    image = original_image(type(prediction)(0, prediction.label_map, meta, plain))
    assert (image == (200, 110, 100)).all()


def test_padding_is_cut_off_before_resizing(model, make_loader):
    prediction = next(predict(model, make_loader(), with_image=True))
    padded = prediction.image * 0
    padded[:, 2:] = 9
    meta = prediction.meta | {'img_shape': (2, 5, 3), 'ori_shape': (2, 5, 3)}
    image = original_image(type(prediction)(0, prediction.label_map, meta, padded))
    assert (image == (100, 110, 120)).all()


def test_formatted_hands_over_one_at_a_time(model, dataset, make_loader, tmp_path):
    exhaust(formatted(predict(model, make_loader(2)), dataset, tmp_path))
    assert [call[2] for call in dataset.formatted] == [[index] for index in range(7)]
    for index, (results, out_dir, _) in enumerate(dataset.formatted):
        np.testing.assert_array_equal(results[0], dataset.preds[index])
        assert Path(out_dir) == tmp_path


def test_kept_collects_and_passes_on(model, dataset, make_loader):
    results = []
    passed = [prediction.index for prediction in kept(predict(model, make_loader()), results)]
    assert passed == [index for index, _ in results] == list(range(7))
    np.testing.assert_array_equal(results[4][1], dataset.preds[4])


def test_progress_shows_the_count_on_rank_0_only(model, make_loader, capsys, monkeypatch):
    assert len(list(with_progress(predict(model, make_loader()), 7))) == 7
    assert '7/7' in capsys.readouterr().err
    monkeypatch.setattr('mmseg.core.evaluation.sinks.get_dist_info', lambda: (1, 2))
    assert len(list(with_progress(predict(model, make_loader()), 7))) == 7
    assert capsys.readouterr().err == ''
