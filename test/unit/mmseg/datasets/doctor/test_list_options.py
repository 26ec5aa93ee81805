"""The options by which a training reads cleaned lists."""
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmcv_replace.utils import Config, DictAction
from mmseg.datasets.doctor import tell_lists


def report_of(*splits, **same):
    return SimpleNamespace(sources=[SimpleNamespace(split=split) for split in splits],
                           samples=dict.fromkeys(splits, 1), same=same)


def applied(cfg, lines):
    """The config with the options that the lines show."""
    import argparse
    import shlex
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    cfg.merge_from_dict(parser.parse_args(shlex.split(lines[-1])).cfg_options)
    return cfg


@pytest.mark.parametrize('folder', ['/lists', "/two words, 'quotes' [1]", '/日本'])
def test_options_are_applied_as_they_are_printed(folder):
    cfg = Config(dict(data=dict(
        train=dict(type='RepeatDataset', times=2, dataset=dict(type='CustomDataset', split='x')),
        val=[dict(type='CustomDataset', ann_dir=['a', 'b']), dict(type='CustomDataset')],
        test=dict(type='CustomDataset', split='test.txt'))))
    files = [Path(folder, name) for name in ('train.txt', 'val_0.txt', 'val_1.txt', 'val_2.txt')]
    lines = tell_lists(cfg, report_of('train', 'val', 'val', 'val'), files)
    assert 'add these options' in lines[0]
    cfg = applied(cfg, lines)
    assert cfg.data.train.dataset.split == str(files[0])
    assert list(cfg.data.val[0].split) == [str(files[1]), str(files[2])]
    assert cfg.data.val[1].split == str(files[3])
    assert cfg.data.test.split == 'test.txt'


def test_a_split_with_the_same_files_gets_the_same_list():
    cfg = Config(dict(data=dict(val=dict(type='CustomDataset'), test=dict(type='CustomDataset'))))
    lines = tell_lists(cfg, report_of('val', test='val'), [Path('/lists/val.txt')])
    cfg = applied(cfg, lines)
    assert cfg.data.val.split == cfg.data.test.split == '/lists/val.txt'


def test_lists_that_a_data_set_leaves_out():
    cfg = Config(dict(data=dict(train=dict(type='CustomDataset', split=['a.txt', 'empty.txt']))))
    assert tell_lists(cfg, report_of('train'), [Path('/lists/train.txt')]) == [
        'data.train leaves out lists that are empty: write its lists as `split` into the config']
