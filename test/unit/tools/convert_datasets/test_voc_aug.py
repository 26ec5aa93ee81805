"""tools/convert_datasets/voc_aug.py."""
import pytest

from mmseg.datasets.synthetic import SplitSizes, make_devkit


@pytest.fixture
def devkit(tmp_path):
    make_devkit(tmp_path, SplitSizes(train=2, val=1, aug=2), size=32)
    return tmp_path


@pytest.mark.parametrize('options', [(), ('--nproc', 2)])
def test_masks_and_counts(run_tool, devkit, capsys, options):
    run_tool('convert_datasets/voc_aug.py', devkit, devkit / 'VOCaug', *options)
    assert 'trainaug.txt: 4 names  aug.txt: 2 names' in capsys.readouterr().out
    assert len(list((devkit / 'VOC2012/SegmentationClassAug').iterdir())) == 5


@pytest.mark.parametrize('flag', ['-o', '--out-dir', '--out_dir'])
def test_out_dir(run_tool, devkit, flag):
    run_tool('convert_datasets/voc_aug.py', devkit, devkit / 'VOCaug', flag, devkit / 'masks')
    assert len(list((devkit / 'masks').iterdir())) == 5


def test_error_without_traceback_and_warning_without_stop(run_command_line, devkit):
    done = run_command_line('convert_datasets/voc_aug.py', devkit, devkit / 'VOCaug')
    assert done.returncode == 0
    assert 'the complete archives give trainaug 10,582, aug 9,118' in done.stderr + done.stdout
    done = run_command_line('convert_datasets/voc_aug.py', devkit, devkit / 'nowhere')
    assert done.returncode == 2
    assert 'AUG/dataset/cls/*.mat' in done.stderr
    assert 'Traceback' not in done.stderr
