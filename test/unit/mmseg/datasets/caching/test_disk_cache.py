"""Samples that are kept in files: the same as without, until a source changes."""
import os
import shutil

import numpy as np
import pytest

from mmcv_replace.fileio import ArrayFile, HardDiskBackend, array_file
from mmcv_replace.utils.errors import DataError
from mmseg.datasets.caching.stored_array import StoredArray
from mmseg.datasets.caching.stored_steps import StoredCrop, StoredSteps
from mmseg.datasets.pipelines import Compose

from .disk_cases import COUNT, CROP, LOAD, RESIZE, files, run, stored

PIPELINES = [LOAD, [*LOAD, RESIZE], [*LOAD, RESIZE, CROP], [*LOAD, CROP],
             [*LOAD, RESIZE, CROP, dict(type='RandomFlip', prob=0.5)]]


@pytest.mark.parametrize('steps', PIPELINES)
@pytest.mark.parametrize('fuse', [True, False])
def test_samples_are_those_of_the_files_which_are_decoded_once(results, folder, decoded, steps,
                                                               fuse):
    plain = [run(Compose(steps), results(i), i) for i in range(COUNT)]
    decoded.clear()
    for number in range(3):
        pipeline = stored(steps, folder, fuse)  # as a later run has it
        for i, expected in enumerate(plain):
            np.testing.assert_equal(run(pipeline, results(i), i), expected)
        assert len(decoded) == COUNT, number
    assert len(files(folder)) == COUNT


def test_what_is_replaced(folder):
    kinds = [[type(step) for step in stored(steps, folder)._steps()] for steps in PIPELINES]
    assert kinds[0] == [StoredSteps]
    assert kinds[2] == [StoredCrop]
    assert kinds[4][0] is StoredCrop
    assert [type(step).__name__ for step in stored(PIPELINES[2], folder, fuse=False)._steps()] == [
        'StoredSteps', 'Resize', 'RandomCrop']


def test_only_the_rows_of_the_window_are_read(results, folder, monkeypatch):
    steps = [*LOAD, dict(type='Resize', img_scale=(88, 60)), dict(type='RandomCrop',
                                                                  crop_size=(16, 20))]
    run(stored(steps, folder), results(0))
    read, heights = ArrayFile.read, {'img': [], 'gt_semantic_seg': []}

    def note(self, name, start=0, stop=None):
        rows = read(self, name, start, stop)
        heights[name].append(len(rows))
        return rows

    monkeypatch.setattr(ArrayFile, 'read', note)
    monkeypatch.setattr('mmseg.datasets.pipelines.resized_crop.LARGE', 1)
    monkeypatch.setattr('mmcv_replace.fileio.array_file.FEW', 1)
    for seed in range(5):
        run(stored(steps, folder), results(0), seed)
    # The image of 30 rows is enlarged to twice its size.
    assert max(heights['gt_semantic_seg']) <= 9
    assert max(heights['img']) <= 12


def test_open_files_are_closed(results, folder, monkeypatch):
    opened, start = [], ArrayFile._read_head
    monkeypatch.setattr(ArrayFile, '_read_head', lambda self: opened.append(self) or start(self))
    for steps in PIPELINES:
        for _ in range(2):
            run(stored(steps, folder), results(0))
    assert opened
    assert all(file._file.closed for file in opened)


@pytest.mark.parametrize('steps', [LOAD, [*LOAD, dict(type='RandomCrop', crop_size=(99, 99))]])
def test_what_a_step_does_to_a_sample_does_not_reach_the_files(results, folder, steps):
    def spoil(results):
        results['img'][...] = 0
        results['gt_semantic_seg'][...] = 0
        results['seg_fields'].append('other')
        results['img_norm_cfg']['mean'][...] = 9
        return results

    expected = run(Compose(steps), results(0))
    for _ in range(2):
        run(stored([*steps, spoil], folder), results(0))

    sample, drawn = run(stored(steps, folder), results(0))
    np.testing.assert_equal((sample, drawn), expected)
    assert sample['img'].flags.c_contiguous


def test_a_file_that_is_touched_or_copied_is_not_decoded_again(results, folder, decoded, data_root):
    plain = run(Compose(LOAD), results(0))
    run(stored(LOAD, folder), results(0))
    decoded.clear()
    for path in (data_root / 'img/0.jpg', data_root / 'ann/0.png'):
        os.utime(path, ns=(5, 5))
    hashed, digest = [], HardDiskBackend.get
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HardDiskBackend, 'get', lambda self, path: hashed.append(path) or digest(
            self, path))
        for _ in range(3):
            np.testing.assert_equal(run(stored(LOAD, folder), results(0)), plain)
    assert not decoded
    assert len(hashed) == 2  # the new times are noted in the file


def test_a_touched_file_in_a_folder_of_others(results, folder, decoded, data_root, monkeypatch):
    """Where the new time cannot be noted, the process remembers it."""
    pipeline = stored(LOAD, folder)
    run(pipeline, results(0))
    os.utime(data_root / 'img/0.jpg', ns=(5, 5))
    decoded.clear()

    def refuse(*args):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(ArrayFile, 'replace_head', refuse)
    reads, get = [], HardDiskBackend.get
    monkeypatch.setattr(HardDiskBackend, 'get', lambda self, path: reads.append(path) or get(
        self, path))
    for _ in range(3):
        run(pipeline, results(0))
    assert len(reads) == 1
    assert not decoded


@pytest.mark.parametrize(('part', 'other'), [('img/0.jpg', 'img/1.jpg'), ('ann/0.png', None)])
def test_a_changed_file_is_decoded_again(results, folder, decoded, data_root, part, other):
    from PIL import Image
    pipeline = stored([*LOAD, RESIZE, CROP], folder)
    before, _ = run(pipeline, results(0))
    if other is None:
        label = np.array(Image.open(data_root / part))
        Image.fromarray((label + (label < 3)).astype(np.uint8)).save(data_root / part)
    else:
        shutil.copy(data_root / 'ann/1.png', data_root / 'ann/0.png')
        shutil.copy(data_root / other, data_root / part)
    os.utime(data_root / part, ns=(5, 5))
    decoded.clear()
    expected = run(Compose([*LOAD, RESIZE, CROP]), results(0))
    assert not np.array_equal(expected[0]['gt_semantic_seg'], before['gt_semantic_seg'])
    decoded.clear()
    for _ in range(2):
        np.testing.assert_equal(run(pipeline, results(0)), expected)
    assert len(decoded) == 1
    assert len(files(folder)) == 1


def test_a_changed_file_of_the_size_and_time_of_the_old_one(results, folder, data_root):
    """As of arrays in archives whose files all have one date."""
    from PIL import Image
    path = data_root / 'ann/0.png'
    label = np.array(Image.open(path))
    states = []
    for values in (label, label[::-1]):
        Image.fromarray(values).save(path, compress_level=0)
        os.utime(path, ns=(5, 5))
        states.append((path.stat().st_size, path.stat().st_mtime_ns))
        np.testing.assert_equal(run(stored(LOAD, folder), results(0)), run(Compose(LOAD),
                                                                           results(0)))
    assert states[0] == states[1]


def test_a_file_of_a_class_that_was_not_there_before(results, folder, data_root):
    """With one file a class, those that are missing decide the label, too."""
    from PIL import Image
    size = Image.open(data_root / 'img/0.jpg').size
    files = [data_root / f'ann/0_{name}.png' for name in 'ab']

    def sample():
        found = results(0) | dict(class_files=dict(a=2, b=3))
        found['ann_info'] = dict(seg_map='0_{class}.png')
        return found

    def check(value):
        for _ in range(2):
            label = run(stored(LOAD, folder), sample())[0]['gt_semantic_seg']
            np.testing.assert_array_equal(label, run(Compose(LOAD), sample())[0]['gt_semantic_seg'])
            assert label[0, 0] == value

    for value, file in enumerate(files, 2):
        Image.new('L', size, 255).save(file)
        check(value)
    files[1].unlink()
    check(2)


def test_a_file_that_is_gone_is_missed_as_ever(results, folder, data_root):
    pipeline = stored(LOAD, folder)
    run(pipeline, results(0))
    (data_root / 'ann/0.png').unlink()
    with pytest.raises(DataError, match=r'0\.png.*the mask of a sample'):
        run(pipeline, results(0))


def test_a_share_of_the_samples_is_kept(results, folder, decoded):
    steps = LOAD[:1]
    for share, low, high in ((0.0, 0, 0), (0.5, 10, 40)):
        pipeline = stored(steps, folder, share=share)
        for i in range(50):
            run(pipeline, dict(results(i % COUNT), number=i))
        assert low <= len(files(folder)) <= high
    number = len(files(folder))
    for i in range(50):  # the same ones in each run
        run(stored(steps, folder, share=0.5), dict(results(i % COUNT), number=i))
    assert len(files(folder)) == number


def test_files_of_a_remote_place(results, folder, decoded):
    fsspec = pytest.importorskip('fsspec')
    system = fsspec.filesystem('memory')
    made = dict(results(0), img_prefix='memory://bucket')
    client = dict(backend='fsspec')
    with open(os.path.join(results(0)['img_prefix'], '0.jpg'), 'rb') as file:
        system.pipe_file('/bucket/0.jpg', file.read())
    steps = [dict(LOAD[0], file_client_args=client), LOAD[1]]
    pipeline = stored(steps, folder)
    expected = run(Compose(steps), dict(made))
    decoded.clear()
    asked, info = [], type(system).info
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(system), 'info', lambda *args, **kwargs: asked.append(1) or info(
            *args, **kwargs))
        for _ in range(4):
            np.testing.assert_equal(run(pipeline, dict(made)), expected)
    assert decoded == ['0.jpg']
    assert len(asked) == 2  # when it was read, and when it was looked for
    with open(os.path.join(results(0)['img_prefix'], '1.jpg'), 'rb') as file:
        system.pipe_file('/bucket/0.jpg', file.read())
    (img, _), _ = (run(stored(steps[:1], folder), dict(made)), None)
    np.testing.assert_equal(img, run(Compose(steps[:1]), dict(made))[0])
    system.rm('/bucket', recursive=True)


@pytest.mark.parametrize('few', [0, 2**20])
def test_a_stored_array_is_an_array(results, folder, monkeypatch, few):
    run(stored(LOAD, folder), results(0))
    path, = files(folder)
    expected = run(Compose(LOAD), results(0))[0]['img']
    with ArrayFile(path) as file:
        monkeypatch.setattr(array_file, 'FEW', few)
        array = StoredArray(file, 'img', lambda error: pytest.fail(str(error)))
        assert (array.shape, array.dtype, array.ndim) == (expected.shape, expected.dtype, 3)
        np.testing.assert_array_equal(array[3:9], expected[3:9])
        np.testing.assert_array_equal(array[3:9:2, 5:7], expected[3:9:2, 5:7])
        np.testing.assert_array_equal(np.asarray(array), expected)
        assert np.asarray(array, np.float32).dtype == np.float32
