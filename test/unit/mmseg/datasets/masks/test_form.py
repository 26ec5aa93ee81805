"""`colour_map`, `class_files` and lists of pairs by hand: everything reads the same labels."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmseg.datasets import CustomDataset, doctor

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
COLOURS = np.array([(0, 0, 0), (128, 64, 128), (70, 70, 70), (224, 224, 192)], np.uint8)
LABEL = np.random.RandomState(0).randint(0, 4, (9, 14))
IGNORED = np.where(LABEL == 3, 255, LABEL)


@pytest.fixture
def root(tmp_path):
    """An image with its mask in colours, and in one file a class."""
    for folder in ('img', 'colours', 'files/road', 'files/car'):
        (tmp_path / folder).mkdir(parents=True)
    Image.fromarray(np.zeros((9, 14, 3), np.uint8)).save(tmp_path / 'img/a.jpg')
    Image.fromarray(COLOURS[LABEL]).save(tmp_path / 'colours/a.png')
    for number, name in ((1, 'road'), (2, 'car')):
        Image.fromarray(255 * (number == LABEL).astype(np.uint8)).save(
            tmp_path / f'files/{name}/a.png')
    return tmp_path


def dataset(root, **settings):
    return CustomDataset(**dict(pipeline=LOAD, data_root=str(root), img_dir='img',
                                classes=['sky', 'road', 'car']) | settings)


def by_colour(root, **settings):
    return dataset(root, ann_dir='colours', colour_map={
        '0,0,0': 0, '#804080': 1, (70, 70, 70): 2, '224 224 192': -1}, **settings)


def by_file(root, **settings):
    return dataset(root, ann_dir='files', seg_map_suffix='.png', class_files=dict(road=1, car=2),
                   split=str(root / 'list.txt'), **settings)


def labels(data):
    """The labels that training sees, evaluation sees, and the doctor counts."""
    report = doctor.open_report({'train': data})
    doctor.examine_all(report)
    assert report.exit_code == 0, doctor.format_report(report)
    seen = data[0]['gt_semantic_seg']
    np.testing.assert_array_equal(seen, data.get_gt_seg_map(0))
    counted = report.classes['train'].pixels
    np.testing.assert_array_equal(counted, [(seen == number).sum() for number in range(3)])
    return seen


def test_colours(root):
    np.testing.assert_array_equal(labels(by_colour(root)), IGNORED)
    np.testing.assert_array_equal(
        labels(by_colour(root, ignore_index=11)), np.where(LABEL == 3, 11, LABEL))


def test_a_list_of_colours_and_a_label_map(root):
    data = dataset(root, ann_dir='colours', colour_map=COLOURS.tolist(), label_map={3: 0})
    np.testing.assert_array_equal(labels(data), LABEL % 3)


def test_one_file_a_class_by_a_list_of_pairs(root):
    (root / 'list.txt').write_text('a.jpg\t{class}/a.png\n')
    data = by_file(root)
    np.testing.assert_array_equal(labels(data), LABEL % 3)
    data.check_files()
    (root / 'files/car/a.png').unlink()
    np.testing.assert_array_equal(labels(data), LABEL == 1)
    data.check_files()


def test_one_file_a_class_with_a_suffix(root):
    (root / 'files/road/a.png').rename(root / 'files/a_road.png')
    (root / 'files/car/a.png').rename(root / 'files/a_car.png')
    data = dataset(root, ann_dir='files', seg_map_suffix='_{class}.png',
                   class_files=dict(road=1, car=2))
    np.testing.assert_array_equal(labels(data), LABEL % 3)


def test_missing_files_of_all_classes(root):
    (root / 'list.txt').write_text('a.jpg\t{class}/b.png\n')
    data = by_file(root)
    with pytest.raises(MissingDataError, match='masks are missing: .*files/road/b.png'):
        data.check_files()
    with pytest.raises(MissingDataError, match='a file for none of the classes'):
        data[0]
    report = doctor.open_report({'train': data})
    doctor.examine_all(report)
    assert [finding.kind for finding in report.findings if finding.severity == 'error'] == [
        'missing']


def test_an_unknown_colour(root):
    data = dataset(root, ann_dir='colours', colour_map={'0,0,0': 0, '#804080': 1})
    with pytest.raises(DataError, match=r'colours/a\.png: .*\(70, 70, 70\) \(\d'):
        data[0]
    report = doctor.open_report({'train': data})
    doctor.examine_all(report)
    [finding] = report.of_severity('error')
    assert finding.kind == 'unreadable'
    assert '(70, 70, 70)' in finding.detail


def test_both_forms_exclude_each_other(root):
    with pytest.raises(ConfigError, match='colour_map and class_files exclude each other'):
        by_colour(root, class_files={'road': 1})


@pytest.mark.parametrize('form', [dict(colour_map={'0,0,0': 0}), dict(class_files={'road': 1})])
def test_an_array_of_an_archive_is_no_picture(root, form):
    with pytest.raises(ConfigError, match=r"seg_map_key='mask' names an array of numbers in \.npz"):
        dataset(root, seg_map_key='mask', **form)


def test_a_list_of_pairs(root, tmp_path):
    Image.fromarray(np.zeros((9, 14, 3), np.uint8)).save(root / 'img/b c.JPG')
    Image.fromarray(IGNORED.astype(np.uint8)).save(root / 'colours/other.bmp')
    (root / 'list.txt').write_text('b c.JPG\tother.bmp\n\na\n')
    data = dataset(root, ann_dir='colours', split='list.txt')

    assert [info['filename'] for info in data.img_infos] == ['b c.JPG', 'a.jpg']
    assert [info['ann'] for info in data.img_infos] == [
        dict(seg_map='other.bmp'), dict(seg_map='a.png')]
    np.testing.assert_array_equal(data.get_gt_seg_map(0), IGNORED)
    report = doctor.open_report({'train': data})
    doctor.examine_all(report)
    files = doctor.plan_lists(report, tmp_path / 'clean')
    doctor.write_lists(report, files)
    assert files[0].read_text() == 'b c.JPG\tother.bmp\n'
    assert 'ann' not in dataset(root, split='list.txt').img_infos[0]


@pytest.mark.parametrize('line', ['a.jpg\ta.png\tb.png', 'a.jpg\t \tb.png'])
def test_a_line_that_is_no_pair(root, line):
    (root / 'list.txt').write_text(f'x\n{line}\nz\n')
    with pytest.raises(DataError, match=r'list\.txt: the line .* does not hold an image and its'):
        dataset(root, ann_dir='colours', split='list.txt').img_infos  # noqa: B018
