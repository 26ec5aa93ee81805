"""Names out of data become paths: what is written stays in its folder, and links lead nowhere."""
import numpy as np
import pytest
from torch import nn

from mmcv_replace.utils import path_inside, scandir
from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import Prediction, WriteOverlays
from mmseg.datasets import ConcatDataset, CustomDataset


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / 'out put'
    (folder / 'sub').mkdir(parents=True)
    (folder / 'away').symlink_to(tmp_path)
    (folder / 'file.png').symlink_to(tmp_path / 'target.png')
    (folder / 'near').symlink_to(folder / 'sub')
    return folder


@pytest.mark.parametrize('name', ['../x.png', '/tmp/x.png', 'sub/../../x.png', 'away/x.png', '.',
                                  '', 'file.png', 'a\0b.png', 'sub/..'])
def test_names_that_lead_out(out, name):
    with pytest.raises(DataError, match='outside of the folder'):
        path_inside(out, name)


@pytest.mark.parametrize('name', ['x.png', 'sub/x.png', 'sub/../x.png', 'near/x.png', '-x', 'a b',
                                  '..x', 'new/deep/x', "it's", '日本.png'])
def test_names_that_stay(out, name):
    assert path_inside(out, name) == out / name


def test_the_folder_itself_may_be_a_link(out, tmp_path):
    (tmp_path / 'link').symlink_to(out)
    assert path_inside(tmp_path / 'link', 'x.png') == tmp_path / 'link/x.png'


@pytest.mark.parametrize('name', ['../../x.jpg', '/tmp/hostile_x.jpg', 'away/x.jpg'])
def test_predictions_and_pictures_stay_in_their_folder(out, tmp_path, name):
    dataset = object.__new__(CustomDataset)
    dataset.img_infos, dataset.PALETTE, dataset.CLASSES = [{'filename': name}], None, None
    before = sorted(tmp_path.rglob('*'))
    result = np.zeros((2, 2), np.uint8)
    with pytest.raises(DataError, match='outside of the folder'):
        dataset.format_results([result], str(out))
    (out / '0').mkdir()
    (out / '0/away').symlink_to(tmp_path)
    with pytest.raises(DataError, match='outside of the folder'):
        ConcatDataset([dataset]).format_results([result], str(out))
    model = nn.Identity()
    model.show_result = None
    prediction = Prediction(0, result, {'ori_filename': name})
    with pytest.raises(DataError, match='outside of the folder'):
        WriteOverlays(model, out).add(prediction)
    after = sorted(tmp_path.rglob('*'))
    assert [path for path in after if path not in before] == [out / '0', out / '0/away']


def test_folders_that_contain_themselves_are_listed_once(out):
    (out / 'sub/x.png').touch()
    (out / 'sub/round').symlink_to(out)
    (out / 'sub/self').symlink_to('.')
    (out / 'away').unlink()
    assert sorted(scandir(out, '.png', recursive=True)) == ['near/x.png', 'sub/x.png']
