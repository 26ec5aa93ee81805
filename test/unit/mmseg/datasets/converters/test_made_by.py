"""Data that are missing: the error of every data set that has a converter names the command."""
import shlex

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmseg.apis.cli import set_data_root
from mmseg.apis.datasets import build_split
from mmseg.datasets.converters.made_by import MADE_BY

COMMANDS = {
    'cityscapes': 'cityscapes.py {root}', 'chase_db1': 'chase_db1.py CHASEDB1.zip -o {root}',
    'drive': 'drive.py training.zip test.zip -o {root}',
    'stare': 'stare.py stare-images.tar labels-ah.tar labels-vk.tar -o {root}',
    'hrf': 'hrf.py healthy.zip healthy_manualsegm.zip glaucoma.zip glaucoma_manualsegm.zip '
           'diabetic_retinopathy.zip diabetic_retinopathy_manualsegm.zip -o {root}',
    'coco-stuff10k': 'coco_stuff10k.py {root}', 'coco-stuff164k': 'coco_stuff164k.py {root}',
    'loveda': 'loveda.py ARCHIVES -o {root}', 'potsdam': 'potsdam.py ARCHIVES -o {root}',
    'vaihingen': 'vaihingen.py ARCHIVES -o {root}', 'isaid': 'isaid.py ARCHIVES -o {root}',
    'pascal_context': 'pascal_context.py {devkit} {root}/trainval_merged.json',
    'pascal_voc12_aug': 'voc_aug.py {devkit} {devkit}/VOCaug', 'ade20k': None,
}


def told_by(cfg, split):
    with pytest.raises(DataError) as raised:
        build_split(cfg, split)
    return '\n'.join([str(raised.value), *getattr(raised.value, '__notes__', [])])


@pytest.mark.parametrize('name', COMMANDS)
def test_the_command(repo_dir, tmp_path, name):
    """The archives are there, but not converted."""
    root = tmp_path / 'data'
    for folder in ('leftImg8bit/train/a', 'gtFine/train/a', 'JPEGImages', 'SegmentationClass',
                   'ImageSets/Segmentation', 'images/train2017', 'annotations/train2017'):
        (root / folder).mkdir(parents=True)
    (root / 'leftImg8bit/train/a/a_leftImg8bit.png').write_bytes(b'')
    (root / 'images/train2017/000000000009.jpg').write_bytes(b'')
    (root / 'annotations/train2017/000000000009.png').write_bytes(b'')
    (root / 'ImageSets/Segmentation/train.txt').write_text('')
    cfg = Config.fromfile(repo_dir / f'configs/_base_/datasets/{name}.py')
    set_data_root(cfg, str(root))

    told = told_by(cfg, 'train')

    command = COMMANDS[name]
    assert ('tools/convert_datasets/' in told) == (command is not None)
    if command is not None:
        command = command.format(root=root, devkit=tmp_path)
        assert f'this makes it: python tools/convert_datasets/{command} --nproc 8' in told


def test_missing_images_are_no_matter_of_the_converter(repo_dir, tmp_path):
    lists = tmp_path / 'ImageSets/SegmentationContext'
    for folder in (lists, tmp_path / 'JPEGImages', tmp_path / 'SegmentationClassContext'):
        folder.mkdir(parents=True)
    (lists / 'train.txt').write_text('a')
    cfg = Config.fromfile(repo_dir / 'configs/_base_/datasets/pascal_context.py')
    set_data_root(cfg, str(tmp_path))
    told = told_by(cfg, 'train')
    assert 'images are missing' in told
    assert 'convert_datasets' not in told


def test_the_commands_exist(repo_dir):
    for command in MADE_BY.values():
        script = shlex.split(command)[0]
        assert (repo_dir / 'tools/convert_datasets' / script).is_file()
