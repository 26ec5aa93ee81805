"""Mean and std of training images, through the loading steps of their pipelines."""
import json
import os

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, UserError
from mmseg.datasets import PIPELINES, ConcatDataset, RepeatDataset, build_dataset
from mmseg.datasets.doctor import measure
from mmseg.datasets.doctor.statistics_text import format_statistics


class LoadBands:
    """A loading step of a user: .npy files."""

    def __call__(self, results):
        file = os.path.join(results['img_prefix'], results['img_info']['filename'])
        results.update(img=np.load(file), filename=file)
        return results


LOAD = dict(type='LoadBands')


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(PIPELINES.module_dict, 'LoadBands', LoadBands)


@pytest.fixture
def make(tmp_path):
    """`make(images, **options)`: a data set of arrays, saved as .npy, and its step LoadBands."""
    def make(images, steps=(), load=LOAD, folder='img', **options):
        (tmp_path / folder).mkdir()
        for number, img in enumerate(images):
            np.save(tmp_path / folder / f'{number}.npy', img)
        return build_dataset(dict(
            type='CustomDataset', data_root=str(tmp_path), img_dir=folder, img_suffix='.npy',
            classes=['a'], pipeline=[load, *steps], **options))
    return make


def normal(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(50, 9, shape).astype(dtype)


def text(found, examples=5):
    return '\n'.join(format_statistics(found, examples))


def line_of(found):
    """The settings that the printed line makes."""
    line, = (line for line in text(found).splitlines() if 'img_norm_cfg' in line)
    variables = {}
    exec(line.strip(), variables)
    return variables['img_norm_cfg']


@pytest.mark.parametrize('shape', [(9, 8), (9, 8, 1), (9, 8, 5)])
@pytest.mark.parametrize('nproc', [1, 2])
def test_any_number_of_bands_in_the_order_of_the_steps(make, shape, nproc):
    images = [normal(shape, seed) for seed in range(5)]
    found = measure(make(images), nproc)

    pixels = np.stack(images).reshape(-1, shape[2] if len(shape) == 3 else 1).astype(np.float64)
    assert found.moments.mean == pytest.approx(pixels.mean(0), rel=1e-10)
    assert found.moments.std == pytest.approx(pixels.std(0), rel=1e-10)
    line = line_of(found)
    assert line['mean'] == pytest.approx(pixels.mean(0), rel=1e-6)
    assert line['std'] == pytest.approx(pixels.std(0), rel=1e-6)
    assert line['to_rgb'] is False
    assert found.to_json()['mean'] == pytest.approx(pixels.mean(0).tolist(), rel=1e-10)


@pytest.mark.filterwarnings('ignore:This DataLoader will create')
def test_the_number_of_processes_changes_no_digit(make):
    dataset = make([normal((20, 30, 4), seed) for seed in range(40)])

    assert measure(dataset, 3).to_json() == measure(dataset).to_json()


@pytest.mark.parametrize(('steps', 'swapped'), [
    ([], True), ([dict(type='Normalize', mean=[0.] * 3, std=[1.] * 3)], True),
    ([dict(type='Normalize', mean=[0.] * 3, std=[1.] * 3, to_rgb=False)], False)])
def test_three_bands_come_as_normalize_takes_them(make, steps, swapped):
    img = normal((9, 8, 3)) + [0, 100, 200]
    found = measure(make([img], steps))

    mean = img.astype(np.float64).mean((0, 1))
    line = line_of(found)
    assert line['mean'] == pytest.approx(mean[::-1] if swapped else mean, rel=1e-6)
    assert line['to_rgb'] is swapped
    assert ('bands: red, green, blue' in text(found)) is swapped
    assert ('bands: as loaded' in text(found)) is not swapped


def test_bands_in_the_order_of_the_file_stay_there(make):
    img = normal((9, 8, 3)) + [0, 100, 200]
    found = measure(make([img], load=dict(type='LoadImageFromFile', color_type='bands')))
    line = line_of(found)
    assert line['mean'] == pytest.approx(img.mean((0, 1)), rel=1e-6)
    assert line['to_rgb'] is False


def test_normalize_with_the_line_gives_mean_0_and_std_1(make):
    images = [normal((9, 8, 3), seed) * [1, 2, 3] for seed in range(4)]
    dataset = make(images)
    step = PIPELINES.get('Normalize')(**line_of(measure(dataset)))

    pixels = np.stack([step(dict(img=img.astype(np.float32)))['img'] for img in images])
    assert pixels.mean((0, 1, 2)) == pytest.approx(0, abs=1e-5)
    assert pixels.std((0, 1, 2)) == pytest.approx(1, abs=1e-5)


def test_images_are_read_by_the_step_of_the_config(make, tmp_path):
    (tmp_path / 'png').mkdir()
    img = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'png/a.png'), img)
    cfg = dict(type='CustomDataset', data_root=str(tmp_path), img_dir='png', img_suffix='.png',
               classes=['a'])
    grey = cv2.imread(str(tmp_path / 'png/a.png'), cv2.IMREAD_GRAYSCALE)
    for options, expected in (({}, img), (dict(color_type='grayscale'), grey)):
        dataset = build_dataset(cfg | dict(pipeline=[dict(type='LoadImageFromFile', **options)]))
        found = measure(dataset)
        assert found.moments.mean == pytest.approx(expected.reshape(72, -1).mean(0), rel=1e-10)
        assert found.types == {'uint8': 1}


def test_wrapped_data_sets_count_each_image_once(make):
    images = [normal((9, 8, 4), seed) for seed in range(3)]
    parts = [make(images[:1], folder='one'), make(images[1:], folder='two')]
    found = measure(RepeatDataset(ConcatDataset(parts), 4))

    assert found.types.total() == 3
    assert found.moments.mean == pytest.approx(
        np.stack(images).astype(np.float64).mean((0, 1, 2)), rel=1e-10)


def test_images_that_cannot_be_counted_are_named(make, tmp_path):
    bad = normal((9, 8, 4))
    bad[0, 0, 2] = np.nan
    dataset = make([normal((9, 8, 4)), normal((9, 8, 3)), bad, normal((9, 8, 4), 1)])
    assert len(dataset) == 4
    (tmp_path / 'img/3.npy').unlink()
    found = measure(dataset, 2)

    folder = tmp_path / 'img'
    assert [file for file, _ in found.left_out] == [f'{folder}/{n}.npy' for n in (1, 2, 3)]
    lines = text(found).splitlines()[-4:]
    assert 'error: images that the statistics leave out (3)' in lines
    assert f'  {folder}/1.npy: the number of its bands is 3, that of images before 4' in lines
    assert lines[2].startswith(
        f'  {folder}/2.npy: 1 of its 288 values are infinite or no numbers (in band 2): give such')
    assert 'No such file' in lines[-1]
    assert text(found, 1).splitlines()[-1] == '  ... and 2 more'
    assert found.to_json()['images'] == 1
    assert len(json.loads(json.dumps(found.to_json()))['left_out']) == 3


def test_nothing_can_be_counted(make, tmp_path):
    dataset = make([normal((9, 8))])
    assert len(dataset) == 1
    (tmp_path / 'img/0.npy').unlink()
    found = measure(dataset)
    assert 'img_norm_cfg' not in text(found)
    assert found.to_json()['images'] == 0
    dataset.img_infos = []
    assert text(measure(dataset)) == 'statistics: data.train has no image'
    assert text(None) == ''


def test_a_constant_band_gets_a_std_that_divides(make):
    img = normal((9, 8, 4))
    img[..., 1] = 7
    found = measure(make([img]))

    assert line_of(found)['std'][1] == 1
    assert 'warning: band 1 holds one value alone' in text(found)
    assert found.to_json()['std'][1] == 0
    assert 'warning' not in text(measure(make([normal((9, 8))], folder='other')))


def test_values_of_several_types_are_told(make):
    found = measure(make([normal((9, 8), dtype=np.uint8), normal((9, 8), dtype=np.uint16)]))

    assert 'uint8 in 1, uint16 in 1' in text(found)
    assert 'warning: values of several types' in text(found)


def test_a_data_set_that_does_not_tell_how_it_loads():
    with pytest.raises(ConfigError, match='list does not tell .*get_original_image'):
        measure([1, 2])


class Deadly:
    CLASSES = ['a']

    def __len__(self):
        return 40

    def get_original_image(self, idx):
        if idx:
            os._exit(1)
        return np.zeros((2, 2))


def test_a_process_that_dies_is_an_error():
    with pytest.raises(UserError, match='a process of the scan died'):
        measure(Deadly(), 2)
