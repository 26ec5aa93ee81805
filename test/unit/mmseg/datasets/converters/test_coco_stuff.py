"""COCO-Stuff, 10k of MATLAB files and 164k of grey PNGs: masks against a rule for each pixel."""
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmseg.datasets import COCOStuffDataset
from mmseg.datasets.converters import coco_stuff10k, coco_stuff164k
from mmseg.datasets.converters.coco_stuff10k import convert_coco_stuff10k
from mmseg.datasets.converters.coco_stuff164k import convert_coco_stuff164k

from .plain_tiles import assert_same

# Numbers of classes in COCO and COCO-Stuff, from their lists of labels.
NUMBERS = {'person': 1, 'bicycle': 2, 'fire hydrant': 11, 'stop sign': 13, 'bird': 16,
           'backpack': 27, 'umbrella': 28, 'handbag': 31, 'bottle': 44, 'wine glass': 46,
           'dining table': 67, 'toilet': 70, 'tv': 72, 'refrigerator': 82, 'book': 84,
           'toothbrush': 90, 'banner': 92, 'railroad': 147, 'sand': 154, 'sky-other': 157,
           'snow': 159, 'wood': 182}
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91}
USED = [number for number in range(1, 183) if number not in GAPS]


def train_id(number):
    """The place of a number among those in use."""
    place = 0
    for other in range(1, number):
        place += other not in GAPS
    return place


def test_the_classes_have_the_numbers_of_coco():
    for name, number in NUMBERS.items():
        assert COCOStuffDataset.CLASSES[train_id(number)] == name
        assert coco_stuff10k.TABLE[number] == train_id(number) + 1
        assert coco_stuff164k.TABLE[number - 1] == train_id(number)
    assert len(USED) == len(COCOStuffDataset.CLASSES) == 171


def labels_of(seed, values):
    return np.resize(np.random.default_rng(seed).permutation(values), (14, 15))


class Ten:
    convert = staticmethod(convert_coco_stuff10k)
    splits = dict(train='train2014', test='test2014')
    names = dict(train=['COCO_train2014_000000000077', 'COCO_train2014_000000000143'],
                 test=['COCO_train2014_000000000064'])
    values = [0, *USED]
    options = dict(reduce_zero_label=True)

    @staticmethod
    def mask(labels):
        return np.vectorize(lambda value: 0 if value == 0 else train_id(value) + 1)(labels)

    def write(self, root):
        (root / 'imageLists').mkdir(parents=True)
        for folder in ('images', 'annotations'):
            (root / folder).mkdir()
        for split, names in self.names.items():
            (root / f'imageLists/{split}.txt').write_text(''.join(f'{name}\n' for name in names))
        self.labels = {}
        for seed, (_, name) in enumerate(self.pairs()):
            self.labels[name] = labels_of(seed, self.values)
            (root / f'images/{name}.jpg').write_bytes(name.encode())
            self.write_labels(root, name)

    def pairs(self):
        return [(split, name) for split, names in self.names.items() for name in names]

    def write_labels(self, root, name):
        path = root / f'annotations/{name}.mat'
        savemat(path, dict(S=self.labels[name].astype(np.uint16), names=['unlabeled', 'person']))
        return path

    def image(self, root, split, name):
        return root / f'images/{name}.jpg'


class Hundred(Ten):
    convert = staticmethod(convert_coco_stuff164k)
    splits = dict(train='train2017', val='val2017')
    names = dict(train=['000000000009', '000000000025'], val=['000000000139'])
    values = [255, *(number - 1 for number in USED)]
    options = {}

    @staticmethod
    def mask(labels):
        return np.vectorize(lambda value: 255 if value == 255 else train_id(value + 1))(labels)

    def write(self, root):
        self.labels = {}
        for seed, (split, name) in enumerate(self.pairs()):
            for folder in ('images', 'annotations'):
                (root / folder / f'{split}2017').mkdir(parents=True, exist_ok=True)
            self.labels[name] = labels_of(seed, self.values)
            self.image(root, split, name).write_bytes(name.encode())
            self.write_labels(root, name)

    def write_labels(self, root, name):
        split = 'val' if name in self.names['val'] else 'train'
        path = root / f'annotations/{split}2017/{name}.png'
        Image.fromarray(self.labels[name].astype(np.uint8)).save(path)
        return path

    def image(self, root, split, name):
        return root / f'images/{split}2017/{name}.jpg'


@pytest.fixture(params=[Ten, Hundred])
def coco(request, tmp_path):
    coco = request.param()
    coco.root = tmp_path / 'coco'
    coco.write(coco.root)
    coco.before = sorted(coco.root.rglob('*'))
    return coco


def expected(coco):
    return {f'annotations/{coco.splits[split]}/{name}_labelTrainIds.png':
            coco.mask(coco.labels[name]) for split, name in coco.pairs()}


def check_nothing_is_left(coco):
    assert sorted(coco.root.rglob('*')) == coco.before


@pytest.mark.parametrize('nproc', [1, 2])
@pytest.mark.parametrize('elsewhere', [True, False])
def test_masks_and_images(coco, tmp_path, nproc, elsewhere):
    out = tmp_path / 'out' if elsewhere else None
    counts = coco.convert(coco.root, out, nproc)
    out = out or coco.root
    assert list(counts.values()) == [2, 1]
    assert_same(masks_in(out), expected(coco))
    for split, name in coco.pairs():
        assert (out / f'images/{coco.splits[split]}/{name}.jpg').read_text() == name
    if elsewhere:
        check_nothing_is_left(coco)


def masks_in(out):
    """Names and pixels; what is converted may lie beside them."""
    return {path.relative_to(out).as_posix(): np.array(Image.open(path))
            for path in out.rglob('*_labelTrainIds.png')}


def test_the_data_set_reads_them(coco):
    coco.convert(coco.root)
    split, folder = [*coco.splits.items()][1]
    dataset = COCOStuffDataset(pipeline=[], img_dir=f'images/{folder}', data_root=str(coco.root),
                               ann_dir=f'annotations/{folder}', **coco.options)
    dataset.check_files()
    labels = coco.mask(coco.labels[coco.names[split][0]]).astype(int)
    if coco.options:
        labels = np.where(labels == 0, 255, labels - 1)
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), labels)


def test_masks_have_the_colours_of_the_classes(coco):
    coco.convert(coco.root)
    for path in coco.root.rglob('*_labelTrainIds.png'):
        with Image.open(path) as mask:
            values, colours = np.array(mask), np.array(mask.convert('RGB'))
            values = values.astype(int) - bool(coco.options)
        known = (values >= 0) & (values < 171)
        np.testing.assert_array_equal(
            colours[known], np.array(COCOStuffDataset.PALETTE)[values[known]])


def test_running_again_gives_the_same(coco):
    coco.convert(coco.root)
    first = {path: path.read_bytes() for path in coco.root.rglob('*') if path.is_file()}
    coco.convert(coco.root)
    assert first == {path: path.read_bytes() for path in coco.root.rglob('*') if path.is_file()}


@pytest.mark.parametrize('nproc', [1, 2])
@pytest.mark.parametrize('wrong', [12, 200])
def test_numbers_that_no_class_has(coco, wrong, nproc):
    name = coco.names['train'][0]
    coco.labels[name][3:5, :7] = wrong - (coco.values[0] == 255)
    path = coco.write_labels(coco.root, name)
    with pytest.raises(DataError, match=(
            rf'{path.name}: 6\.67% of the pixels hold {wrong - (coco.values[0] == 255)}, which no '
            'class of COCO-Stuff has: unpack the archive again')):
        coco.convert(coco.root, nproc=nproc)
    check_nothing_is_left(coco)


@pytest.mark.parametrize('nproc', [1, 2])
def test_damaged_annotation(coco, nproc):
    path = coco.write_labels(coco.root, coco.names['train'][1])
    path.write_bytes(b'not an annotation, but some text' * 9)
    with pytest.raises(DataError, match=f'{path.name}.* again'):
        coco.convert(coco.root, nproc=nproc)
    check_nothing_is_left(coco)


def test_missing_image(coco):
    split, name = coco.pairs()[0]
    coco.image(coco.root, split, name).unlink()
    with pytest.raises(DataError, match=rf'images.* lacks 1 files.*: {name}\.jpg\nexpected'):
        coco.convert(coco.root)


def test_missing_annotation(coco):
    coco.write_labels(coco.root, coco.names['train'][0]).unlink()
    with pytest.raises(DataError, match=rf'lacks 1 files.*{coco.names["train"][0]}\.\w+\nexpected'):
        coco.convert(coco.root)


def test_no_data(coco, tmp_path):
    with pytest.raises(DataError, match='(does not exist|holds no label maps)\nexpected'):
        coco.convert(tmp_path / 'nowhere', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('complete', [True, False])
def test_the_numbers_of_the_complete_archives(coco, caplog, monkeypatch, complete):
    module = sys.modules[coco.convert.__module__]
    told = ', '.join(f'{split} {count:,}' for split, count in module.FULL_COUNTS.items())
    if complete:
        full = dict(zip(module.FULL_COUNTS, (2, 1), strict=True))
        monkeypatch.setattr(module, 'FULL_COUNTS', full)
    with caplog.at_level('WARNING'):
        coco.convert(coco.root)
    assert (f'1 images; the complete archives give {told}.' in caplog.text) != complete


# Of the 10k alone.


@pytest.fixture
def ten(tmp_path):
    ten = Ten()
    ten.root = tmp_path / 'coco'
    ten.write(ten.root)
    return ten


def test_the_folder_of_lists_as_in_the_documents_of_mmsegmentation(ten):
    (ten.root / 'imageLists').rename(ten.root / 'imagesLists')
    assert convert_coco_stuff10k(ten.root) == dict(train=2, test=1)


@pytest.mark.parametrize(('content', 'message'), [
    (None, r'test\.txt does not exist\nexpected'), ('', r'the list test\.txt of .* is empty\nexp')])
def test_lists(ten, content, message):
    path = ten.root / 'imageLists/test.txt'
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(MissingDataError if content is None else DataError, match=message):
        convert_coco_stuff10k(ten.root)


def test_what_is_no_label_map(ten):
    savemat(ten.root / f'annotations/{ten.names["train"][0]}.mat', dict(S=np.ones((2, 2, 2))))
    with pytest.raises(DataError, match=r'77\.mat: S is float64 of the shape \(2, 2, 2\), but'):
        convert_coco_stuff10k(ten.root)


def test_scipy_is_missing(ten, monkeypatch):
    monkeypatch.setitem(sys.modules, 'scipy.io', None)
    with pytest.raises(ConfigError, match=r"COCO-Stuff 10k's annotations are .*\[sbd\]"):
        convert_coco_stuff10k(ten.root)
