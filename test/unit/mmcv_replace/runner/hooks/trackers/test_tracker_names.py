"""Names for programs that accept some characters only."""
import pytest

from mmcv_replace.runner.hooks.logger.tracker_names import TrackerNames

MLFLOW = r'[^\w\-. ]'


@pytest.mark.parametrize(('name', 'mapped'), [
    ('val/mIoU', 'val/mIoU'), ('val_IoU/道路', 'val_IoU/道路'), ('a (b), c&d', 'a _b_ c_d'),
    ('a//b/', 'a/_/b/_'), ('../a/.', '_/a/_'), (' a ', 'a'), ('', '_'), ('a' * 500, 'a' * 200)])
def test_readable(name, mapped):
    assert TrackerNames(MLFLOW)[name] == mapped


def test_two_names_never_become_one():
    names = TrackerNames(MLFLOW)
    keys = ['a(b', 'a_b', 'a)b', 'a_b_2', 'x' * 300, 'x' * 301]
    assert len({names[key] for key in keys}) == len(keys)
    assert [names[key] for key in keys[:3]] == ['a_b', 'a_b_2', 'a_b_3']
    assert names['a(b'] == 'a_b'  # again
