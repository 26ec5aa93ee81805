"""What a training that resumes by itself finds in its work directory."""
import os

import pytest
import torch
from torch import nn

from mmcv_replace.runner import save_checkpoint
from mmcv_replace.utils import Config
from mmseg.apis.resuming import choose_start


@pytest.fixture
def work_dir(tmp_path):
    """Two checkpoints of a run; a kill came before latest.pth was pointed at the second one."""
    for number in (1, 2):
        save(tmp_path / f'iter_{number}.pth', number, 'own')
    (tmp_path / '.run_id').write_text('own\n')
    (tmp_path / 'latest.pth').symlink_to('iter_1.pth')
    return tmp_path


def start(work_dir, resume_from=None, auto=True, **checkpoint_config):
    return begin(work_dir, resume_from, auto, **checkpoint_config)[0]


def begin(work_dir, resume_from=None, auto=True, **checkpoint_config):
    """The checkpoint that a run resumes from, and its identity."""
    cfg = Config(dict(work_dir=str(work_dir), auto_resume=auto, resume_from=resume_from,
                      checkpoint_config=checkpoint_config))
    known = choose_start(cfg)
    return cfg.resume_from, known['run_id']


def save(file, number, run_id=None, **meta):
    model = nn.Linear(2, 2)
    if run_id is not None:
        meta['run_id'] = run_id
    save_checkpoint(model, file, torch.optim.SGD(model.parameters(), lr=0.1),
                    dict(iter=number, epoch=1, **meta))
    return str(file)


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


def test_the_run_stays_the_same_when_it_goes_on_by_itself(work_dir):
    assert begin(work_dir) == (str(work_dir / 'iter_2.pth'), 'own')


def test_going_back_begins_another_run(work_dir):
    """What the first one did beyond that checkpoint is no part of it."""
    back = str(work_dir / 'iter_1.pth')
    resumed, run_id = begin(work_dir, back, auto=False)
    assert resumed == back
    assert run_id != 'own'
    assert begin(work_dir) == (back, run_id)  # before it has saved anything
    new = save(work_dir / 'new.pth', 2, run_id)
    assert begin(work_dir) == (new, run_id)


def test_a_restart_with_the_same_command_prefers_what_the_run_has_saved(work_dir):
    back = str(work_dir / 'iter_1.pth')
    _, run_id = begin(work_dir, back, auto=False)
    assert begin(work_dir, back) == (back, run_id)
    new = save(work_dir / 'new.pth', 2, run_id)
    assert begin(work_dir, back) == (new, run_id)


def test_a_run_that_began_in_another_folder(work_dir, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp('other')
    monkeypatch.chdir(work_dir)
    assert begin(other, 'iter_2.pth', auto=False)[0] == 'iter_2.pth'
    monkeypatch.chdir(other)
    assert begin(other)[0] == str(work_dir / 'iter_2.pth')


def test_a_checkpoint_of_another_toolkit_in_a_folder_with_a_run(work_dir):
    """It does not say of which run it is; the ones after it do."""
    old = save(work_dir / 'old.pth', 1)
    resumed, run_id = begin(work_dir, old, auto=False)
    assert run_id not in (None, 'own')
    assert begin(work_dir) == (old, run_id)
    new = save(work_dir / 'new.pth', 2, run_id)
    assert begin(work_dir)[0] == new


@pytest.mark.parametrize('run_id', [None, 'x'])
def test_a_folder_that_does_not_say_whose_it_is(tmp_path, run_id):
    file = save(tmp_path / 'iter_3.pth', 3, run_id)
    resumed, own = begin(tmp_path)
    assert resumed == file
    assert own == run_id or run_id is None
    new = save(tmp_path / 'iter_4.pth', 4, own)
    assert begin(tmp_path) == (new, own)


def test_checkpoints_in_a_folder_of_their_own(tmp_path):
    """The work directory says whose they are."""
    out, work = tmp_path / 'out', tmp_path / 'work'
    for folder in (out, work):
        folder.mkdir()
    save(out / 'iter_6.pth', 6, 'former')
    _, run_id = begin(work, auto=False, out_dir=str(out))
    assert begin(work, out_dir=str(out))[0] is None
    _, run_id = begin(work, auto=False, out_dir=str(out))
    new = save(out / 'iter_2.pth', 2, run_id)
    assert begin(work, out_dir=str(out)) == (new, run_id)


def test_the_seed_of_the_checkpoint_counts(tmp_path):
    save(tmp_path / 'iter_3.pth', 3, 'x', seed=7)
    for auto in (True, False):
        cfg = Config(dict(work_dir=str(tmp_path), auto_resume=auto,
                          resume_from=None if auto else str(tmp_path / 'iter_3.pth')))
        choose_start(cfg)
        assert cfg.seed == 7
