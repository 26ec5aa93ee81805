import pytest
import torch.distributed as dist

from mmcv_replace.utils.rank import get_dist_info, is_main_process


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
