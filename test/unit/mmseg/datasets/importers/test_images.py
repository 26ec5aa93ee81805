"""Images: where they are looked for, and where they go."""
from pathlib import Path

import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.importers.export import Sample
from mmseg.datasets.importers.images import ImageFinder, mask_name, put_image, written_name
from mmseg.datasets.importers.run import write_sample


@pytest.fixture
def folder(tmp_path):
    for name in ('a.jpg', 'x/a.jpg', 'y/a.jpg', 'y/deep/b.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(('name', 'found'), [
    ('x/a.jpg', 'x/a.jpg'), ('a.jpg', 'a.jpg'), ('gone/a.jpg', 'a.jpg'), ('y\\a.jpg', 'y/a.jpg'),
    ('./a.jpg', 'a.jpg')])
def test_folders_of_a_name_come_first(folder, name, found):
    assert ImageFinder(None, [folder]).find('here', name) == folder / found
    assert ImageFinder(str(folder), []).find('here', name) == folder / found


def test_a_full_name_of_any_comes_before_a_bare_one(folder):
    assert ImageFinder(None, [folder]).find('here', 'z/a.jpg', 'y/a.jpg') == folder / 'y/a.jpg'


def test_below_the_folder_that_the_user_names(folder):
    assert ImageFinder(str(folder), []).find('here', 'b.jpg') == folder / 'y/deep/b.jpg'
    with pytest.raises(MissingDataError, match='here: its image b.jpg is missing: looked for in'):
        ImageFinder(None, [folder]).find('here', 'b.jpg')
    (folder / 'a.jpg').unlink()
    with pytest.raises(MissingDataError, match='here: several images are called a.jpg: .*x/a.jpg, '
                                               '.*y/a.jpg; name the folder of the right ones'):
        ImageFinder(str(folder), []).find('here', 'a.jpg')


@pytest.mark.parametrize(('name', 'written'), [
    ('a.jpg', 'a.jpg'), ('x/./a.jpg', 'x/a.jpg'), ('x\\a.jpg', 'x/a.jpg'), ('../a.jpg', 'a.jpg'),
    ('x/../../a.jpg', 'a.jpg'), ('/etc/a.jpg', 'a.jpg'), ('C:\\x\\a.jpg', 'a.jpg'),
    ('\\\\host\\x\\a.jpg', 'a.jpg')])
def test_written_names_stay_inside(name, written):
    assert written_name(name) == written


def test_mask_names():
    assert mask_name('x/a.b.jpg') == 'x/a.b.png'


def test_an_image_that_cannot_be_read_or_written(folder):
    sample = Sample(folder / 'x', 'x.jpg', 'annotation 3', None, paint=None)
    assert write_sample(sample, None, folder, skip_empty=False).problem == (
        f'annotation 3: cannot read {folder}/x: Is a directory')
    with pytest.raises(DataError, match='cannot write .*a.jpg/b.jpg: (File exi|Not a directory)'):
        put_image(folder / 'a.jpg', Path(folder / 'a.jpg/b.jpg'))
