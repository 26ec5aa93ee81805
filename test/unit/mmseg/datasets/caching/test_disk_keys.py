"""What has a file of its own in a cache of decoded samples, and what cannot be kept."""
import importlib
import io
import linecache
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from mmcv_replace import FileClient
from mmcv_replace.fileio import HardDiskBackend
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.caching import recipe
from mmseg.datasets.pipelines import Compose, LoadAnnotations, LoadImageFromFile, loading

from .disk_cases import COUNT, CROP, LOAD, RESIZE, files, run, stored


@pytest.mark.parametrize('change', [
    dict(label_map={0: 2}), dict(reduce_zero_label=True), dict(num_classes=9),
    dict(ignore_index=254, label_map={255: -1})])
def test_settings_of_the_data_set_have_files_of_their_own(results, folder, change):
    run(stored(LOAD, folder), results(0))
    made = dict(results(0), **change)
    expected = run(Compose(LOAD), dict(made))
    for _ in range(2):
        np.testing.assert_equal(run(stored(LOAD, folder), dict(made)), expected)
    assert len(files(folder)) == 2


@pytest.mark.parametrize('change', [
    (0, dict(color_type='grayscale')), (0, dict(to_float32=True)),
    (0, dict(imdecode_backend='pillow')), (1, dict(reduce_zero_label=True))])
def test_settings_of_the_steps_have_files_of_their_own(results, folder, change):
    step, options = change
    steps = [dict(part, **(options if number == step else {})) for number, part in enumerate(LOAD)]
    run(stored(LOAD, folder), results(0))
    expected = run(Compose(steps), results(0))
    for _ in range(2):
        np.testing.assert_equal(run(stored(steps, folder), results(0)), expected)
    assert len(files(folder)) == 2


def test_relative_folders_have_files_of_their_own_in_each_place(results, folder, data_root,
                                                                monkeypatch):
    other = data_root / 'other'
    shutil.copytree(data_root / 'img', other / 'img')
    shutil.copy(other / 'img/1.jpg', other / 'img/0.jpg')
    for place in (data_root, other, data_root):
        monkeypatch.chdir(place)
        relative = dict(results(0), img_prefix='img')
        expected = run(Compose(LOAD[:1]), dict(relative))
        np.testing.assert_equal(run(stored(LOAD[:1], folder), dict(relative)), expected)
    assert len(files(folder)) == 2


def test_decoders_of_other_versions_have_files_of_their_own(results, folder, monkeypatch):
    run(stored(LOAD, folder), results(0))
    monkeypatch.setattr(recipe, '_decoders', lambda: {'pillow': '0.1'})
    run(stored(LOAD, folder), results(0))
    monkeypatch.setattr(recipe, 'FORMAT', 0)
    run(stored(LOAD, folder), results(0))
    assert len(files(folder)) == 3


def test_an_opencv_that_is_no_package_is_known_by_its_version(results, folder, monkeypatch):
    """As that of a system, of which pip knows nothing."""
    def unknown(name):
        raise recipe.PackageNotFoundError(name)

    monkeypatch.setattr(recipe, 'version', unknown)
    for number in ('4.5.4', '5.0.0'):
        recipe._decoders.cache_clear()
        monkeypatch.setattr(recipe.cv2, '__version__', number)
        run(stored(LOAD, folder), results(0))
    recipe._decoders.cache_clear()
    assert len(files(folder)) == 2


def test_images_of_other_kinds(results, folder, data_root):
    """Five bands of 16 bits, as a loader of one's own reads them."""
    for i in range(COUNT):
        bands = np.random.RandomState(i).randint(0, 2**16, (30 + 2 * i, 44 - 3 * i, 5))
        np.save(data_root / f'img/{i}.npy', bands.astype(np.uint16))
    steps = [LoadBands(), LOAD[1], RESIZE, CROP]
    for i in range(COUNT):
        made = dict(results(i), img_info=dict(filename=f'{i}.npy'))
        expected = run(Compose(steps), dict(made), i)
        for _ in range(2):
            np.testing.assert_equal(run(stored(steps, folder), dict(made), i), expected)
        assert expected[0]['img'].dtype == np.uint16
        assert expected[0]['img'].shape[2] == 5
    assert len(files(folder)) == COUNT


class LoadBands(LoadImageFromFile):
    cache_level = 'decoded'

    def __init__(self, gain=1, **kwargs):
        super().__init__(**kwargs)
        self.gain = gain

    def __call__(self, results):
        name = results['img_info']['filename']
        path = os.path.join(results['img_prefix'], name)
        img = np.load(io.BytesIO(self.read(path, 'image'))) * self.gain
        results.update(filename=path, ori_filename=name, **loading.describe_image(img))
        return results


def test_settings_and_code_of_a_step_of_a_user_count(results, folder, tmp_path, monkeypatch):
    keys = set()
    module = tmp_path / 'own_loader.py'
    text = ('from mmseg.datasets.pipelines import LoadImageFromFile\n'
            'class Own(LoadImageFromFile):\n    cache_level = "decoded"\n    number = {}\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr('sys.dont_write_bytecode', True)
    for number in (1, 2, 1):
        module.write_text(text.format(number))
        linecache.clearcache()
        importlib.invalidate_caches()
        sys.modules.pop('own_loader', None)
        own = importlib.import_module('own_loader').Own
        keys.add(stored([own()], folder)._steps()[0].key(results(0)))
    assert len(keys) == 2
    sys.modules.pop('own_loader')
    for gain in (1, 2):
        keys.add(stored([LoadBands(gain)], folder)._steps()[0].key(results(0)))
    assert len(keys) == 4


class ReadsBesides(LoadAnnotations):
    cache_level = 'decoded'

    def read(self, path, what):
        with open(path, 'rb') as file:
            return file.read()


class ByItself(loading.Transform):
    cache_level = 'decoded'


def test_what_cannot_be_watched_is_refused(folder, results, caplog, monkeypatch):
    for step, message in (
            (ByItself(), "level='disk' watches the files .* ByItself reads them by itself: derive"),
            (LoadBands(gain=object()), r"cannot tell two LoadBands apart \(object is no number.*"
                                       'keep its settings as plain values'),
            (type('Made', (LoadBands,), dict(cache_level='decoded'))(),
             r'cannot tell whether .*Made has changed, for its code is in no file')):
        with pytest.raises(ConfigError, match=message):
            stored([step], folder)._steps()
    monkeypatch.setitem(FileClient.backends, 'odd', type(
        'OddBackend', (HardDiskBackend,), dict(has_stamps=False)))
    steps = [LoadImageFromFile(file_client_args=dict(backend='odd'))]
    with pytest.raises(ConfigError, match='when a file of LoadImageFromFile was changed, which '
                       "OddBackend does not tell: copy .* or choose level='decoded'"):
        stored(steps, folder)._steps()
    with pytest.raises(ConfigError, match='the pipeline begins with Resize'):
        stored([RESIZE], folder)._steps()


@pytest.mark.parametrize(('steps', 'more', 'message'), [
    ([LOAD[0], ReadsBesides()], {}, 'ReadsBesides reads its files by other means than FileLoader'),
    (LOAD, dict(weights=object()), r'describes them by what cannot be written \(object is'),
])
def test_what_cannot_be_kept_is_told_once(results, folder, caplog, steps, more, message):
    expected = run(Compose(steps), results(0, **more))[0]['img']
    for _ in range(2):
        pipeline = stored(steps, folder)
        caplog.clear()
        for _ in range(2):
            np.testing.assert_equal(run(pipeline, results(0, **more))[0]['img'], expected)
        assert caplog.text.count('samples are not kept') == 1
        assert message.split(' \\(')[0].replace('\\', '') in caplog.text
    assert not files(folder)


def test_results_that_cannot_be_written(results, folder, caplog):
    class Odd(LoadImageFromFile):
        cache_level = 'decoded'

        def __call__(self, results):
            return dict(super().__call__(results), tool=object())

    run(stored([Odd()], folder), results(0))
    assert 'the loading steps make what cannot be written (object is' in caplog.text
    assert not files(folder)


def test_images_of_a_few_pixels(results, folder, data_root):
    for size in ((1, 1), (7, 11), (30, 40)):  # in the head, some of both, in arrays
        Image.fromarray(np.full((*size, 3), 9, np.uint8)).save(data_root / 'img/0.jpg')
        Image.fromarray(np.full(size, 2, np.uint8)).save(data_root / 'ann/0.png')
        os.utime(data_root / 'img/0.jpg', ns=(5, size[0]))
        for steps in (LOAD, [*LOAD, RESIZE, CROP]):
            expected = run(Compose(steps), results(0))
            for _ in range(2):
                np.testing.assert_equal(run(stored(steps, folder), results(0)), expected)
    assert len(files(folder)) == 1
