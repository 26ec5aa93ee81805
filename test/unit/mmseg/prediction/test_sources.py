"""What is predicted: files, folders, patterns, lists, and the names of their outputs."""
import os

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.prediction.sources import find_sources


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Makes empty files in the current folder."""
    monkeypatch.chdir(tmp_path)

    def place(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path
    return place


def names_and_keys(sources):
    return {file.name: key for file, key in zip(sources.files, sources.keys, strict=True)}


def test_files_folders_and_patterns(place):
    place('a.jpg', 'in/b.PNG', 'in/sub/c.tif', 'in/x.jpg/d.webp', 'in/.hidden.jpg',
          'in/__MACOSX/e.jpg', 'more/f1.bmp', 'more/f2.bmp', 'more/deep/f3.bmp', 'in/clip.mp4')
    found = find_sources(['a.jpg', 'in', 'more/*.bmp', 'mor?/**/f3.bmp'])
    assert names_and_keys(found) == {
        'a.jpg': 'a', 'b.PNG': 'b', 'clip.mp4': 'clip', 'sub/c.tif': 'sub/c',
        'x.jpg/d.webp': 'x.jpg/d', 'f1.bmp': 'f1', 'f2.bmp': 'f2', 'f3.bmp': 'f3'}
    assert [file.path for file in found.files][:2] == ['a.jpg', 'in/b.PNG']
    assert (found.told, found.missing, found.has_videos) == ([], [], True)


def test_a_name_with_the_signs_of_patterns_is_a_name(place):
    place('a[1].jpg', 'a1.jpg')
    assert names_and_keys(find_sources(['a[1].jpg'])) == {'a[1].jpg': 'a[1]'}


@pytest.mark.parametrize('lines', [
    ['\ufeffa.jpg\n', '图 像.png\r\n', '\n', '  \n'], ['a.jpg\0图 像.png\0']])
def test_a_list_on_the_standard_input(place, lines):
    place('a.jpg', '图 像.png', 'b.jpg')
    found = find_sources(['-', 'b.jpg'], lines)
    assert list(names_and_keys(found)) == ['a.jpg', '图 像.png', 'b.jpg']


def test_arrays_in_folders_are_images_where_the_model_takes_them(place):
    place('in/a.npy', 'in/b.npz', 'in/c.png')
    assert len(find_sources(['in']).files) == 3
    found = find_sources(['in'], arrays=False)
    assert list(names_and_keys(found)) == ['c.png']
    assert found.told == ['passed over, as they are no images: 1 of .npy, 1 of .npz']
    assert len(find_sources(['in/a.npy'], arrays=False).files) == 1  # it was named


def test_outputs_of_an_earlier_run_are_no_inputs(place):
    root = place('in/a.jpg', 'in/out/masks/a.png', 'in/out/masks/sub/b.png', 'in/out/c.png',
                 'in/masks/d.png')
    leave_out = [root / 'in/out/masks', root / 'in/out/overlays']
    assert set(names_and_keys(find_sources(['in'], leave_out=leave_out))) == {
        'a.jpg', 'out/c.png', 'masks/d.png'}
    assert set(names_and_keys(find_sources(['in/**/*.png'], leave_out=leave_out))) == {
        'c.png', 'd.png'}
    assert len(find_sources(['in/out/masks/a.png'], leave_out=leave_out).files) == 1


def test_outputs_of_other_runs_below_a_folder_are_no_inputs(place):
    place('in/a.jpg', 'in/run/masks/a.png', 'in/run/overlays/a.jpg', 'in/run/scores/a.npz',
          'in/run/predictions.jsonl', 'in/run/b.png', 'in/other/masks/c.png')
    found = find_sources(['in'])
    assert set(names_and_keys(found)) == {'a.jpg', 'run/b.png', 'other/masks/c.png'}
    assert found.told == []
    assert set(names_and_keys(find_sources(['in/run/overlays']))) == {'a.jpg'}  # it was named


def test_outputs_that_would_have_one_name_are_told_apart(place):
    place('in/a.jpg', 'in/a.png', 'in/b.jpg', 'in/b.jpg.tif', 'in/b.png')
    found = find_sources(['in'])
    assert names_and_keys(found) == {
        'a.jpg': 'a.jpg', 'a.png': 'a.png', 'b.jpg': 'b.jpg', 'b.png': 'b.png',
        'b.jpg.tif': 'b.jpg.tif'}
    assert found.told == ['a.jpg, a.png, b.jpg and 2 more: the names of their outputs keep the '
                          'suffix, as in a.jpg.png, to differ from those of others']


def test_equal_names_of_several_folders(place):
    root = place('data/x/img/a.jpg', 'data/y/img/a.jpg', 'data/y/img/b.jpg')
    found = find_sources(['data/x/img', 'data/y/img'])
    assert names_and_keys(found) == {
        'x/img/a.jpg': 'x/img/a', 'y/img/a.jpg': 'y/img/a', 'y/img/b.jpg': 'y/img/b'}
    assert found.told == [f'a.jpg in several folders: outputs are named by the path below '
                          f'{root / "data"}']


def test_a_file_given_twice_is_predicted_once(place):
    root = place('in/b.jpg', 'in/a.jpg')
    (root / 'link').symlink_to('in')
    found = find_sources(['in/b.jpg', 'in', 'link'])
    assert list(names_and_keys(found).items()) == [('b.jpg', 'b'), ('a.jpg', 'a')]
    assert found.told == ['given more than once, and predicted once: 3 files']


def test_links_are_images_with_names_of_their_own(place):
    root = place('in/a.jpg')
    (root / 'in/b.jpg').symlink_to('a.jpg')
    (root / 'in/broken.jpg').symlink_to('none.jpg')  # is told when it is read
    found = find_sources(['in'])
    assert names_and_keys(found) == {'a.jpg': 'a', 'b.jpg': 'b', 'broken.jpg': 'broken'}
    assert found.told == []


def test_frames_of_a_video_beside_those_that_were_taken_out_of_it(place):
    place('in/clip.mp4', 'in/clip/000001.jpg', 'in/other.mp4', 'in/other.d/000001.jpg')
    found = find_sources(['in'])
    assert names_and_keys(found) == {
        'clip.mp4': 'clip.mp4', 'clip/000001.jpg': 'clip/000001', 'other.mp4': 'other',
        'other.d/000001.jpg': 'other.d/000001'}
    assert found.told == ['clip.mp4: the names of their outputs keep the suffix, as in '
                          'clip.mp4.png, to differ from those of others']


def test_what_is_missing_does_not_keep_the_rest(place):
    place('a.jpg')
    found = find_sources(['a.jpg', 'b.jpg', '*.png'])
    assert [(name, str(error)) for name, error in found.missing] == [
        ('b.jpg', 'b.jpg: it does not exist'), ('*.png', '*.png: no file fits this pattern')]
    assert all(isinstance(error, MissingDataError) for _, error in found.missing)


def test_a_folder_that_cannot_be_read(place, monkeypatch):
    place('in/a.jpg', 'b.jpg')

    def refuse(folder):
        raise PermissionError(13, 'Permission denied', str(folder))

    monkeypatch.setattr(os, 'scandir', refuse)
    found = find_sources(['in', 'b.jpg'])
    assert names_and_keys(found) == {'b.jpg': 'b'}
    (name, error), = found.missing
    assert (name, str(error)) == ('in', 'cannot read the folder in: Permission denied')


@pytest.mark.parametrize(('given', 'told'), [
    (['empty'], 'empty: there is no image; name files, folders or patterns that exist'),
    (['text'], r'text: there is no image, but files of 2 of \.txt, 1 of no suffix; images end with '
               r'\.jpg'),
    (['none.jpg', '*.gif'], r'none\.jpg: it does not exist; \*\.gif: no file fits this pattern'),
    (['-'], '-: there is no image; name')])
def test_nothing_to_predict(place, given, told):
    root = place('text/a.txt', 'text/b.txt', 'text/README')
    (root / 'empty').mkdir()
    with pytest.raises(DataError, match=told):
        find_sources(given)


def test_images_and_frames_in_turn(place):
    root = place('a.jpg', 'damaged.mp4')
    writer = cv2.VideoWriter(str(root / 'clip.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 16))
    for number in range(3):
        writer.write(np.full((16, 32, 3), 60 * number, np.uint8))
    writer.release()
    found, errors = find_sources(['a.jpg', 'damaged.mp4', 'clip.avi']), []
    sources = list(found.read(lambda name, error: errors.append((name, str(error)))))
    assert [(source.name, source.key) for source in sources] == [
        ('a.jpg', 'a'), ('clip.avi', 'clip/000000'), ('clip.avi', 'clip/000001'),
        ('clip.avi', 'clip/000002')]
    assert [source.frame and (source.frame.number, source.frame.time) for source in sources] == [
        None, (0, 0.0), (1, 0.2), (2, 0.4)]
    assert [source.image.mean() for source in sources[1:]] == pytest.approx([0, 60, 120], abs=2)
    (name, error), = errors
    assert name == 'damaged.mp4'
    assert 'OpenCV cannot open the video' in error
    assert found.count() == 4
    assert found.count(lambda file: file.name != 'clip.avi') == 1
