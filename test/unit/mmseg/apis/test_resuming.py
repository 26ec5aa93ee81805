"""What a training that resumes by itself finds in its work directory."""
import os

import pytest
import torch
from torch import nn

from mmcv_replace.runner import save_checkpoint
from mmcv_replace.utils import Config
from mmseg.apis.process import Process
from mmseg.apis.resuming import choose_start

PROCESS = Process(torch.device('cpu'))


@pytest.fixture
def work_dir(tmp_path):
    """Two checkpoints of a run; a kill came before latest.pth was pointed at the second one."""
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for number in (1, 2):
        save_checkpoint(model, tmp_path / f'iter_{number}.pth', optimizer,
                        dict(iter=number, epoch=1, run_id='own'))
    (tmp_path / '.run_id').write_text('own\n')
    (tmp_path / 'latest.pth').symlink_to('iter_1.pth')
    return tmp_path


def start(work_dir, **checkpoint_config):
    cfg = Config(dict(work_dir=str(work_dir), auto_resume=True, seed=0,
                      checkpoint_config=checkpoint_config))
    choose_start(cfg, PROCESS)
    return cfg.resume_from


def test_latest_is_mended(work_dir):
    assert start(work_dir) == str(work_dir / 'iter_2.pth')
    assert os.readlink(work_dir / 'latest.pth') == 'iter_2.pth'


def test_latest_is_made_where_it_is_missing(work_dir):
    (work_dir / 'latest.pth').unlink()
    start(work_dir)
    assert os.readlink(work_dir / 'latest.pth') == 'iter_2.pth'


def test_latest_is_not_made_where_none_is_wanted(work_dir):
    start(work_dir, create_symlink=False)
    assert os.readlink(work_dir / 'latest.pth') == 'iter_1.pth'


def test_the_best_checkpoint_is_never_the_latest(work_dir):
    (work_dir / 'iter_2.pth').rename(work_dir / 'best_mIoU_iter_2.pth')
    assert start(work_dir) == str(work_dir / 'best_mIoU_iter_2.pth')
    assert os.readlink(work_dir / 'latest.pth') == 'iter_1.pth'


def test_what_cannot_be_mended_is_said(work_dir, monkeypatch, caplog):
    def refuse(path):
        raise OSError('read-only')

    monkeypatch.setattr('mmseg.apis.resuming.point_latest_at', refuse)
    with caplog.at_level('WARNING'):
        assert start(work_dir) == str(work_dir / 'iter_2.pth')
    assert 'latest.pth mean iter_2.pth: read-only' in caplog.text
