"""Files for the test servers of VOC, Cityscapes and ADE20K, by what the servers say of them.

VOC: section 5.3 of the devkit's documentation (host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc).
Cityscapes: evalPixelLevelSemanticLabeling.py of cityscapesscripts 2.3.0, which the server runs.
ADE20K: README.md of github.com/CSAILVision/sceneparsing.
"""
import fnmatch
import os

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ArgumentError
from mmseg.core.utils import voc_colormap
from mmseg.datasets import ADE20KDataset, CityscapesDataset, ConcatDataset, PascalVOCDataset
from mmseg.datasets.scores.submission import split_options

VOC_FOLDER = 'results/VOC2012/Segmentation'


@pytest.fixture
def make(tmp_path):
    """`make(cls, names)`: a data set of test images, which have no masks."""
    def make(cls, names, **options):
        for name in names:
            file = tmp_path / 'images' / f'{name}{cls.img_suffix}'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        if cls.needs_split:
            lists = tmp_path / 'ImageSets/Segmentation'
            lists.mkdir(parents=True)
            for split in ('test', 'val'):
                (lists / f'{split}.txt').write_text('\n'.join(names))
            options.setdefault('split', 'ImageSets/Segmentation/test.txt')
        return cls(pipeline=[], data_root=str(tmp_path), img_dir='images', test_mode=True,
                   **options)
    return make


def written(folder):
    """Relative path -> picture of each file below a folder."""
    files = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    return {os.path.relpath(file, folder): Image.open(file) for file in sorted(files)}


def predictions(num_classes, number=2):
    return [(np.arange(num_classes * 2).reshape(2, num_classes) + shift) % num_classes
            for shift in range(number)]


def test_voc_wants_indexed_pngs_in_its_folder(make, tmp_path):
    names = ['2008_000006', '2008_000011']
    results = predictions(21)
    make(PascalVOCDataset, names).format_results(results, str(tmp_path / 'out'))

    pictures = written(tmp_path / 'out')
    assert list(pictures) == [f'{VOC_FOLDER}/comp6_test_cls/{name}.png' for name in names]
    for picture, result in zip(pictures.values(), results, strict=True):
        assert picture.mode == 'P'
        np.testing.assert_array_equal(np.array(picture), result)
        colours = np.array(picture.getpalette()).reshape(-1, 3)
        np.testing.assert_array_equal(colours[:21], voc_colormap(21))


@pytest.mark.parametrize(('split', 'options', 'folder'), [
    ('test', dict(competition='comp5'), 'comp5_test_cls'),
    ('val', dict(competition='comp6'), 'comp6_val_cls'),
    ('val', {}, 'comp6_val_cls'),
])
def test_the_folder_of_voc_tells_competition_and_list(make, tmp_path, split, options, folder):
    dataset = make(PascalVOCDataset, ['a'], split=f'ImageSets/Segmentation/{split}.txt')
    file, = dataset.format_results(predictions(21, 1), str(tmp_path / 'out'), **options)

    assert file == str(tmp_path / 'out' / VOC_FOLDER / folder / 'a.png')


def test_voc_has_two_competitions(make, tmp_path):
    dataset = make(PascalVOCDataset, ['a'])
    with pytest.raises(ArgumentError, match="competition='comp3': the server knows comp5, .*comp6"):
        dataset.format_results(predictions(21, 1), str(tmp_path / 'out'), competition='comp3')
    assert dataset.format_results([]) == []
    assert not (tmp_path / 'out').exists()


def test_some_classes_of_voc_keep_their_numbers(make, tmp_path):
    dataset = make(PascalVOCDataset, ['a'], classes=['background', 'cat'])
    file, = dataset.format_results([np.array([[0, 1]])], str(tmp_path / 'out'))

    assert np.array(Image.open(file)).tolist() == [[0, PascalVOCDataset.CLASSES.index('cat')]]


def test_cityscapes_finds_each_image_by_its_name_and_gets_label_ids(make, tmp_path):
    names = ['berlin/berlin_000000_000019', 'bielefeld/bielefeld_000000_000321']
    results = predictions(19)
    make(CityscapesDataset, names).format_results(results, str(tmp_path / 'out'))

    pictures = written(tmp_path / 'out')
    for name, result in zip(names, results, strict=True):
        # In any folder; two files for an image are an error of the script.
        file, = (file for file in pictures
                 if fnmatch.fnmatch(os.path.basename(file), f'{os.path.basename(name)}*.png'))
        ids = np.array(pictures[file])
        assert ids.dtype == np.uint8
        assert ids.ndim == 2
        values = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
        np.testing.assert_array_equal(ids, np.array(values)[result])
    assert len(pictures) == 2


def test_ade20k_wants_grey_pngs_from_1_beside_each_other(make, tmp_path):
    names = ['ADE_test_00000001', 'ADE_test_00000002']
    results = predictions(150)
    make(ADE20KDataset, names).format_results(results, str(tmp_path / 'out'))

    pictures = written(tmp_path / 'out')
    assert list(pictures) == [f'{name}.png' for name in names]
    for picture, result in zip(pictures.values(), results, strict=True):
        assert picture.mode == 'L'
        np.testing.assert_array_equal(np.array(picture), result + 1)


@pytest.mark.parametrize(('cls', 'number'), [(PascalVOCDataset, 21), (ADE20KDataset, 150)])
def test_the_folder_has_two_names(make, tmp_path, cls, number):
    dataset, result = make(cls, ['a']), predictions(number, 1)
    by_new = dataset.format_results(result, out_dir=str(tmp_path / 'out'))

    assert dataset.format_results(result, imgfile_prefix=str(tmp_path / 'out')) == by_new
    with pytest.raises(ArgumentError, match="out_dir='a' and imgfile_prefix='b' are names of one"):
        dataset.format_results(result, 'a', imgfile_prefix='b')
    with pytest.raises(ArgumentError, match='out_dir is missing'):
        dataset.format_results(result)


def test_joined_data_sets_write_to_folders_of_their_own(make, tmp_path):
    joined = ConcatDataset([make(PascalVOCDataset, ['a'])])
    files = joined.format_results(predictions(21, 1), str(tmp_path / 'out'))

    assert files == [str(tmp_path / 'out/0' / VOC_FOLDER / 'comp6_test_cls/a.png')]


def test_without_a_prefix_scores_or_files_get_all_options():
    assert split_options(dict(a=1), 'work', format_only=False) == (dict(a=1), {})
    assert split_options(dict(a=1), 'work', format_only=True)[1] == dict(out_dir='work', a=1)
    assert split_options(dict(out_dir='x'), 'work', format_only=True)[1] == dict(out_dir='x')


def test_a_prefix_names_the_folder_and_writes_beside_scores():
    given = dict(imgfile_prefix='x', a=1)
    assert split_options(given, 'work', format_only=True)[1] == dict(out_dir='x', a=1)
    assert split_options(given, 'work', format_only=False) == (dict(a=1), dict(out_dir='x'))
    assert given == dict(imgfile_prefix='x', a=1)
    with pytest.raises(ArgumentError, match="out_dir='y' and imgfile_prefix='x' are names of one"):
        split_options(dict(given, out_dir='y'), 'work', format_only=True)


def test_an_evaluate_of_ones_own_gets_the_prefix():
    given = dict(imgfile_prefix='x')
    assert split_options(given, 'work', format_only=False, own_evaluate=True) == (given, {})
