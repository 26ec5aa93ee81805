"""When a data set reads its list, and when its files are looked for."""
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets import CustomDataset

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


class Named(CustomDataset):
    CLASSES = ('a', 'b', 'c', 'd')


@pytest.fixture
def make(data_root):
    def build(cls=Named, **kwargs):
        return cls(**dict(pipeline=LOAD, img_dir='img', ann_dir='ann',
                          data_root=str(data_root)) | kwargs)
    return build


def test_missing_files_are_found_by_the_check_of_the_commands(make, data_root):
    with pytest.raises(DataError, match='Named: img_dir .*/nowhere is not a folder'):
        make(img_dir='nowhere').check_files()
    with pytest.raises(DataError, match='Named: ann_dir .*/nowhere is not a folder'):
        make(ann_dir='nowhere').check_files(may_be_missing=True)
    with pytest.raises(DataError, match=r'Named: the split file .*/no\.txt does not exist'):
        make(split='no.txt').check_files()
    with pytest.raises(DataError, match='Named: 0 images'):
        make(img_suffix='.jpeg').check_files(may_be_missing=True)
    (data_root / 'ann' / '1.png').unlink()
    with pytest.raises(DataError, match=r'Named: masks are missing: .*ann/1\.png does not exist'):
        make().check_files()
    make().check_files(may_be_missing=True)


def test_building_a_dataset_reads_nothing_from_the_disk(make, monkeypatch):
    with monkeypatch.context() as patch:
        for name in ('os.stat', 'os.scandir', 'os.listdir', 'builtins.open'):
            patch.setattr(name, lambda *args, **kwargs: pytest.fail('the disk is read'))
        datasets = [make(), make(img_dir='nowhere', ann_dir='nowhere'), make(split='no.txt')]

    assert len(datasets[0]) == 6
    with pytest.raises(FileNotFoundError, match='Named: img_dir .*/nowhere is not a folder'):
        len(datasets[1])
    with pytest.raises(FileNotFoundError, match=r'Named: the split file .*/no\.txt does not'):
        datasets[2][0]


def test_the_list_is_read_once(make, data_root):
    dataset = make()
    infos = dataset.img_infos
    for file in (data_root / 'img').iterdir():
        file.unlink()

    assert dataset.img_infos is infos
    assert len(dataset) == 6
    dataset.img_infos = infos[:2]
    assert len(dataset) == 2


def test_a_list_that_a_subclass_reads_is_there_at_once(make):
    class Listed(Named):
        def load_annotations(self, img_dir, img_suffix, ann_dir, seg_map_suffix, split):
            self.kinds = ['made', 'here']  # as data sets with one file of annotations do
            return [dict(filename=f'{kind}.jpg') for kind in self.kinds]

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.number = len(self.kinds)

    assert make(Listed, img_dir='nowhere').number == 2
