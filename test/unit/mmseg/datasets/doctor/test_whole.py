"""Duplicates, wrapped datasets, several processes, the cleaned lists, and the text."""
import json
import os
import re

import numpy as np
import pytest

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import ConfigError, DataError, UserError
from mmseg.datasets import build_dataset
from mmseg.datasets.doctor import (
    examine_all,
    format_report,
    open_report,
    plan_lists,
    write_lists,
)
from mmseg.datasets.doctor.examine import Examiner, scan
from mmseg.datasets.doctor.lists import find_shared_files


def copy(devkit, source, target):
    devkit.image_file(target).write_bytes(devkit.image_file(source).read_bytes())


def test_images_that_come_twice_in_a_split(devkit, found):
    copy(devkit, 'a', 'c')
    devkit.list('train', 'abcdb')

    assert found() == [
        ('duplicate', 'train', 'c.jpg', f'has the content of {devkit.image_file("a")}'),
        ('duplicate', 'train', 'b.jpg', 'listed again')]


def test_leaks_are_findings_of_the_training(devkit, found):
    copy(devkit, 'a', 'f')
    devkit.list('val', 'efb')

    assert found() == [
        ('leak', 'train', 'a.jpg', f'has the content of {devkit.image_file("f")} (val)'),
        ('leak', 'train', 'b.jpg', 'is in val too')]


def test_a_leak_is_found_whichever_split_comes_first(devkit):
    devkit.list('val', 'efb')
    report = open_report({'val': build_dataset(devkit.cfg('val'), dict(test_mode=True)),
                          'train': build_dataset(devkit.cfg('train'))})
    examine_all(report)

    assert [(item.kind, item.split, item.sample) for item in report.findings] == [
        ('leak', 'train', (1, 1))]
    assert [item.file for item in find_shared_files(report.sources)] == [
        str(devkit.image_file('b'))]


def test_validation_and_test_may_share_images_and_are_read_once(devkit):
    test_mode = dict(test_mode=True)
    report = open_report({name: build_dataset(devkit.cfg(split), test_mode) for name, split in
                          (('val', 'val'), ('test', 'val'))})
    examine_all(report)
    assert (dict(report.samples), report.same) == ({'val': 2}, {'test': 'val'})
    assert not [item for item in report.findings if item.kind in ('leak', 'duplicate')]

    other = open_report({'val': build_dataset(devkit.cfg('val'), test_mode), 'test': build_dataset(
        devkit.cfg('val', ignore_index=7), test_mode)})
    assert other.same == {}


def test_datasets_in_datasets(devkit):
    inner = devkit.cfg('train', split=['train.txt', 'val.txt'])

    report = open_report({'train': build_dataset(
        dict(type='RepeatDataset', times=30, dataset=inner))})

    assert [len(source) for source in report.sources] == [4, 2]
    assert report.sources[1].image_file(0) == str(devkit.image_file('e'))


def test_a_dataset_without_files_is_reported(devkit):
    class Made:
        CLASSES = ('a',)

    report = open_report({'train': Made(), 'val': build_dataset(devkit.cfg('val'))})

    assert [(item.kind, item.split, item.file) for item in report.findings] == [
        ('not-checked', 'train', 'Made')]


@pytest.mark.filterwarnings('ignore:This DataLoader will create')
def test_several_processes_find_the_same(devkit, report_on):
    devkit.list('train', 'abcd' * 12)
    devkit.image_file('c').write_bytes(b'')
    devkit.mask('d', np.full((24, 32), 9))

    one, three = (report_on(nproc=nproc) for nproc in (1, 3))

    assert len(one.findings) > 48
    assert three.findings == one.findings
    one, three = one.to_json(), three.to_json()
    assert one.pop('seconds') > 0
    assert three.pop('seconds') > 0
    assert one == three


def test_a_process_that_dies_is_an_error(devkit):
    report = open_report({'train': build_dataset(devkit.cfg('train'))})
    report.sources[0].dataset.img_infos[2]['filename'] = _Deadly()

    with pytest.raises(UserError, match='a process of the scan died.*--nproc 2'):
        list(scan(Examiner(report.sources, [(0, index) for index in range(4)]), nproc=2))


class _Deadly(os.PathLike):
    def __fspath__(self):
        os._exit(1)


def test_cleaned_lists_lack_the_samples_with_errors(devkit, report_on, tmp_path):
    devkit.list('train', 'abcda')
    devkit.list('val', 'efb')
    devkit.mask('c', np.zeros((3, 3)))
    before = (devkit.root / 'train.txt').read_bytes()
    report = report_on()
    folder = tmp_path / 'clean'
    files = plan_lists(report, folder)

    lines = write_lists(report, files)

    assert [file.name for file in files] == ['train.txt', 'val.txt']
    assert list_from_file(folder / 'train.txt') == ['a', 'd', 'a']  # b leaks, c has no mask
    assert list_from_file(folder / 'val.txt') == ['e', 'f', 'b']
    assert lines[0] == f'{folder}/train.txt: 3 of the 5 names of train'
    assert (devkit.root / 'train.txt').read_bytes() == before
    assert not [file for file in folder.iterdir() if file.suffix != '.txt']

    again = report_on(split=str(folder / 'train.txt'), val=dict(split=str(folder / 'val.txt')))
    assert again.exit_code == 0


def test_several_lists_of_a_split_stay_apart(devkit, tmp_path):
    report = open_report({'train': build_dataset(
        devkit.cfg('train', split=['train.txt', 'val.txt']))})
    files = plan_lists(report, tmp_path / 'clean')
    write_lists(report, files)

    assert [(file.name, list_from_file(file)) for file in files] == [
        ('train_0.txt', list('abcd')), ('train_1.txt', list('ef'))]


def test_originals_are_never_replaced(devkit, tmp_path):
    report = open_report({'train': build_dataset(devkit.cfg('train'))})
    with pytest.raises(ConfigError, match=r'would replace the list .*train\.txt'):
        plan_lists(report, devkit.root)
    (tmp_path / 'clean').mkdir()
    (tmp_path / 'clean' / 'train.txt').symlink_to(devkit.root / 'train.txt')
    with pytest.raises(ConfigError, match='choose another folder'):
        plan_lists(report, tmp_path / 'clean')


def test_a_folder_that_cannot_be_written(devkit, tmp_path):
    report = open_report({'train': build_dataset(devkit.cfg('train'))})
    (tmp_path / 'file').touch()

    with pytest.raises(DataError, match='cannot write the list .*give --write-clean a folder'):
        write_lists(report, plan_lists(report, tmp_path / 'file' / 'clean'))


NAMES = ['two words', '"quotes\' ', 'ünï日本', 'bell\x07\x1b[31m', 'line\nbreak', 'bytes\udcff']


@pytest.fixture
def strange(devkit):
    """A dataset without a list, whose images have strange names and broken masks."""
    for name in NAMES:
        copy(devkit, 'a', name)
        devkit.mask_file(name).write_bytes(b'')
    return devkit


def test_any_name_is_printed_on_its_line(strange, report_on):
    report = report_on(split=None, val=dict(split='val.txt'))
    text = format_report(report, max_examples=20)

    truncated = re.search(r'error: truncated files \(6\)\n((?:  train .*\n)+)', text).group(1)
    assert all(line.isprintable() for line in text.split('\n'))
    text.encode()
    for shown in ('two words', '"quotes\' ', 'ünï日本', r'bell\x07\x1b[31m', r'line\nbreak',
                  r'bytes\udcff'):
        assert f'{shown}.png: the file is empty\n' in truncated
    json.dumps(report.to_json()).encode()


def test_names_that_no_list_can_hold(strange, report_on, tmp_path):
    strange.image_file('tab\tstop').write_bytes(strange.image_file('a').read_bytes())
    for name in (*NAMES, 'tab\tstop'):
        strange.mask_file(name).write_bytes(strange.mask_file('a').read_bytes())
    report = report_on(split=None, val=dict(split='val.txt'))
    [train, _] = plan_lists(report, tmp_path / 'clean')
    write_lists(report, [train, tmp_path / 'clean' / 'val.txt'])

    names = list_from_file(train)
    assert {'two words', 'ünï日本', 'bell\x07\x1b[31m'} <= set(names)
    assert sorted(item.file.rsplit('/')[-1] for item in report.of_kind('unlistable')) == [
        '"quotes\' .jpg', 'bytes\udcff.jpg', 'line\nbreak.jpg', 'tab\tstop.jpg']


def test_the_text_shows_few_files_and_the_report_all(devkit, report_on):
    for name in 'abcd':
        devkit.image_file(name).unlink()
    report = report_on()
    text = format_report(report, max_examples=2)

    assert text.count('.jpg\n') == 2
    assert '... and 2 more' in text
    assert re.search(r'\| error +\| missing files +\| +4 \| +0 \|', text)
    assert '-> fetch them, correct the folder or the suffix' in text
    assert len(report.to_json()['findings']) == 4
    assert text.endswith('4 errors, 0 warnings, 0 info')


def test_the_weights_are_a_line_of_a_config(report_on, tmp_path):
    report = report_on()
    text = format_report(report)
    line = text[text.index('  model = dict('):text.index('])))') + 4]
    scope = {}

    exec('\n'.join(part[2:] for part in line.splitlines()), scope)

    assert scope['model']['decode_head']['loss_decode']['class_weight'] == (
        report.classes['train'].weights())
    assert 'median frequency balancing' in text


@pytest.mark.parametrize(('kind', 'code'), [('error', 1), ('warning', 0), ('info', 0)])
def test_only_errors_set_the_exit_code(devkit, report_on, kind, code):
    if kind == 'error':
        devkit.image_file('a').unlink()
    elif kind == 'warning':
        devkit.list('train', 'abcda')
    else:
        devkit.list('train', 'abc')
    report = report_on()

    assert len(report.of_severity(kind)) == 1
    assert report.exit_code == report.to_json()['exit_code'] == code
