"""tools/make_synthetic_voc.py."""
import pytest
from PIL import Image


def test_every_option(run_tool, tmp_path, capsys):
    run_tool('make_synthetic_voc.py', tmp_path / 'out', '--train', 3, '--val', 2, '--aug', 1,
             '--size', 40, '--seed', 5, '--nproc', 2)
    assert '3 images to train on, 2 to validate on, 1 more in VOCaug' in capsys.readouterr().out
    images = sorted((tmp_path / 'out/VOC2012/JPEGImages').iterdir())
    assert len(images) == 6
    assert max(Image.open(images[0]).size) == 40
    lists = tmp_path / 'out/VOC2012/ImageSets/Segmentation'
    assert len((lists / 'train.txt').read_text().split()) == 3
    assert len((lists / 'val.txt').read_text().split()) == 2
    run_tool('make_synthetic_voc.py', tmp_path / 'other', '--train', 3, '--val', 2, '--aug', 1,
             '--size', 40)
    other = tmp_path / 'other/VOC2012/JPEGImages' / images[0].name
    assert other.read_bytes() != images[0].read_bytes()


def test_error_without_traceback(run_command_line, tmp_path):
    done = run_command_line('make_synthetic_voc.py', tmp_path, '--train', 0)
    assert done.returncode == 2
    assert done.stderr.startswith('error: a devkit needs images')
    assert 'Traceback' not in done.stderr


def test_out_is_needed(run_tool, capsys):
    with pytest.raises(SystemExit):
        run_tool('make_synthetic_voc.py')
    assert 'OUT' in capsys.readouterr().err
