import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets import PascalVOCDataset


def test_classes_and_colours():
    assert len(PascalVOCDataset.CLASSES) == len(PascalVOCDataset.PALETTE) == 21
    assert PascalVOCDataset.CLASSES[0] == 'background'
    assert PascalVOCDataset.CLASSES[15] == 'person'
    assert PascalVOCDataset.CLASSES[20] == 'tvmonitor'
    assert PascalVOCDataset.PALETTE[15] == [192, 128, 128]
    assert PascalVOCDataset.PALETTE[20] == [0, 64, 128]


def test_files_and_split(data_root):
    dataset = PascalVOCDataset(split='train.txt', data_root=str(data_root), img_dir='img',
                               ann_dir='ann', pipeline=[], test_mode=True)

    assert dataset.img_infos[0] == dict(filename='4.jpg', ann=dict(seg_map='4.png'))
    assert dataset.test_mode


def test_a_split_is_needed(data_root):
    with pytest.raises(ConfigError, match='PascalVOCDataset needs split, a list such as'):
        PascalVOCDataset(split=None, data_root=str(data_root), img_dir='img', pipeline=[])


def test_the_colours_are_those_in_the_files(voc_root):
    from PIL import Image
    mask = Image.open(sorted((voc_root / 'SegmentationClass').iterdir())[0])

    stored = mask.getpalette()[:63]

    assert [stored[start:start + 3] for start in range(0, 63, 3)] == PascalVOCDataset.PALETTE


def test_a_subclass_passes_its_split_by_position(data_root):
    class Own(PascalVOCDataset):
        def __init__(self, **kwargs):
            super().__init__('train.txt', **kwargs)

    dataset = Own(data_root=str(data_root), img_dir='img', ann_dir='ann', pipeline=[])
    assert dataset.split.endswith('train.txt')
