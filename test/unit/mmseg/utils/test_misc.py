import pytest

from mmseg.utils import find_latest_checkpoint


@pytest.mark.parametrize(('names', 'expected'), [
    (['iter_900.pth', 'iter_1000.pth', 'best_mIoU.pth', 'epoch_3.txt'], 'iter_1000.pth'),
    (['latest.pth', 'epoch_2.pth'], 'latest.pth'),
    (['iter_5.ckpt'], None),
    ([], None),
])
def test_the_latest_checkpoint(tmp_path, names, expected):
    for name in names:
        (tmp_path / name).touch()
    found = find_latest_checkpoint(str(tmp_path))
    assert found == (None if expected is None else str(tmp_path / expected))


def test_another_suffix(tmp_path):
    (tmp_path / 'iter_5.ckpt').touch()
    assert find_latest_checkpoint(tmp_path, 'ckpt') == str(tmp_path / 'iter_5.ckpt')


def test_a_folder_that_is_missing(tmp_path):
    with pytest.warns(UserWarning, match='none is not a folder'):
        assert find_latest_checkpoint(tmp_path / 'none') is None
