"""Which checkpoint an interrupted run goes on from."""
import os

import numpy as np
import pytest
import torch

from mmcv_replace.runner.checkpoints.auto_resume import (
    current_run,
    newest_checkpoint,
    set_current_run,
    was_restarted,
)
from mmcv_replace.utils.logging import get_logger


def save(path, iteration, **meta):
    torch.save({'meta': {'iter': iteration, 'epoch': 1, **meta}, 'optimizer': {},
                'state_dict': {'w': torch.arange(2000.0)}}, path)
    return path


def newest(folder, run_id=None):
    found = newest_checkpoint(folder, get_logger('mmseg'), run_id)
    return found and found.name


def test_the_iteration_decides_and_no_clock(tmp_path):
    for age, number in enumerate((10, 9, 2)):
        os.utime(save(tmp_path / f'iter_{number}.pth', number), (1e9 + age, 1e9 + age))
    assert newest(tmp_path) == 'iter_10.pth'


def test_names_do_not_matter(tmp_path):
    save(tmp_path / 'epoch_3.pth', 30)
    save(tmp_path / 'iter_25.pth', 25)
    save(tmp_path / 'mine.pth', 29)
    assert newest(tmp_path) == 'epoch_3.pth'


def test_latest_may_be_missing_or_point_nowhere(tmp_path):
    save(tmp_path / 'iter_1.pth', 1)
    assert newest(tmp_path) == 'iter_1.pth'
    (tmp_path / 'latest.pth').symlink_to('iter_9.pth')
    assert newest(tmp_path) == 'iter_1.pth'


def test_a_regular_one_goes_before_the_best_of_the_same_iteration(tmp_path):
    save(tmp_path / 'best_mIoU_iter_4.pth', 4)
    assert newest(tmp_path) == 'best_mIoU_iter_4.pth'
    save(tmp_path / 'iter_4.pth', 4)
    assert newest(tmp_path) == 'iter_4.pth'
    save(tmp_path / 'best_mIoU_iter_5.pth', 5)
    assert newest(tmp_path) == 'best_mIoU_iter_5.pth'


def test_weights_alone_and_other_files_are_no_checkpoints_of_a_run(tmp_path, log_lines):
    torch.save({'state_dict': {}}, tmp_path / 'pretrained.pth')
    torch.save({'meta': {'iter': 3}, 'state_dict': {}}, tmp_path / 'no_optimizer.pth')
    torch.save({'meta': 3, 'optimizer': {}}, tmp_path / 'odd.pth')
    (tmp_path / 'notes.txt').write_text('iter_3.pth')
    assert newest(tmp_path) is None
    assert log_lines == []


@pytest.mark.parametrize('length', np.random.default_rng(0).integers(0, 8000, 20).tolist())
def test_a_truncated_file_is_reported_and_left_out(tmp_path, log_lines, length):
    save(tmp_path / 'iter_1.pth', 1)
    content = save(tmp_path / 'iter_2.pth', 2).read_bytes()
    assert len(content) > 8000
    (tmp_path / 'iter_2.pth').write_bytes(content[:length])
    assert newest(tmp_path) == 'iter_1.pth'
    assert len(log_lines) == 1
    assert 'leaves out a checkpoint' in log_lines[0]
    assert 'iter_2.pth cannot be read' in log_lines[0]


@pytest.mark.parametrize('place', np.random.default_rng(1).integers(0, 9000, 20).tolist())
def test_a_flipped_byte_never_goes_unnoticed(tmp_path, log_lines, place):
    """Either the content is what it was, as in padding, or the file is left out."""
    save(tmp_path / 'iter_1.pth', 1)
    path = save(tmp_path / 'iter_2.pth', 2)
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 0x10
    path.write_bytes(content)
    if newest(tmp_path) == 'iter_2.pth':
        stored = torch.load(path, weights_only=True)
        assert torch.equal(stored['state_dict']['w'], torch.arange(2000.0))
        assert stored['meta'] == {'iter': 2, 'epoch': 1}
    else:
        assert 'iter_2.pth' in log_lines[0]


def test_changed_weights_are_left_out(tmp_path, log_lines):
    save(tmp_path / 'iter_1.pth', 1)
    path = save(tmp_path / 'iter_2.pth', 2)
    content = path.read_bytes()
    weights = torch.arange(2000.0).numpy().tobytes()
    path.write_bytes(content.replace(weights, weights[:-1] + b'\x01'))
    assert newest(tmp_path) == 'iter_1.pth'
    assert 'checksum' in log_lines[0]


def test_an_empty_folder(tmp_path, log_lines):
    assert newest(tmp_path) is None
    assert newest(tmp_path / 'none') is None
    assert log_lines == []


def test_checkpoints_of_an_earlier_run_in_the_folder_are_left_out(tmp_path, log_lines):
    """A run of 100 iterations was there before the one that now is at 5."""
    save(tmp_path / 'iter_100.pth', 100, run_id='a')
    save(tmp_path / 'iter_90.pth', 90)
    assert newest(tmp_path, 'b') is None
    assert 'the 2 checkpoints' in log_lines[0]
    assert '--resume-from FILE' in log_lines[0]
    save(tmp_path / 'iter_5.pth', 5, run_id='b')
    assert newest(tmp_path, 'b') == 'iter_5.pth'
    assert newest(tmp_path) == 'iter_100.pth'


@pytest.mark.parametrize('content', [None, b'', b'\xff\xfe\x00'])
def test_a_run_that_is_not_known(tmp_path, content):
    if content is not None:
        (tmp_path / '.run_id').write_bytes(content)
    assert current_run(tmp_path) == (None, None)


@pytest.mark.parametrize('origin', [None, '/data/my runs/iter_3.pth'])
def test_the_run_of_a_folder_and_what_it_began_with(tmp_path, origin):
    set_current_run(tmp_path, 'b', origin)
    assert current_run(tmp_path) == ('b', origin)
    (tmp_path / '.run_id').write_text('a\n')  # as earlier versions wrote it
    assert current_run(tmp_path) == ('a', None)


@pytest.mark.parametrize(('name', 'value', 'expected'), [
    ('TORCHELASTIC_RESTART_COUNT', '1', True), ('TORCHELASTIC_RESTART_COUNT', '0', False),
    ('SLURM_RESTART_COUNT', '2', True), ('SLURM_RESTART_COUNT', '', False), ('X', '1', False)])
def test_restarts_by_a_launcher(monkeypatch, name, value, expected):
    for known in ('TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT'):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, value)
    assert was_restarted() is expected
