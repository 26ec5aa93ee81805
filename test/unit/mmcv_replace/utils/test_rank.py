import pytest
import torch.distributed as dist

from mmcv_replace.utils.rank import get_dist_info, is_main_process, rank_prefix


def test_without_a_group_there_is_one_process(monkeypatch):
    monkeypatch.setenv('RANK', '3')
    assert get_dist_info() == (0, 1)


@pytest.mark.parametrize(('rank', 'main'), [(None, True), ('0', True), ('3', False)])
def test_launcher_tells_before_there_is_a_group(monkeypatch, rank, main):
    monkeypatch.delenv('RANK', raising=False)
    if rank is not None:
        monkeypatch.setenv('RANK', rank)
    assert is_main_process() is main


def test_group_tells_once_it_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv('RANK', '3')
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        assert get_dist_info() == (0, 1)
        assert is_main_process()
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize(('variables', 'prefix'), [
    (dict(RANK='3', WORLD_SIZE='4', LOCAL_RANK='1'), 'rank 3: '),
    (dict(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0'), ''),
    (dict(RANK='1', WORLD_SIZE='16', LOCAL_RANK='0,1,2,3,4,5,6,7'), ''),  # RANK is the node's
    (dict(WORLD_SIZE='2'), ''), (dict(RANK='x', WORLD_SIZE='many', LOCAL_RANK='0'), ''), ({}, '')])
def test_a_message_names_the_process_only_where_there_are_several(monkeypatch, variables, prefix):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert rank_prefix() == prefix
