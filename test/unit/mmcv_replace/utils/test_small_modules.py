"""The modules of one or two functions."""
import random

import numpy as np
import pytest
import torch

from mmcv_replace import utils
from mmcv_replace.utils import device_type, ext_loader, hub


def test_worker_seed_counts_workers_and_ranks():
    def draw(*arguments):
        utils.worker_init_fn(*arguments)
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw(1, 4, 2, 10) == draw(3, 4, 0, 16)  # 19
    assert draw(1, 4, 2, 10) != draw(0, 4, 2, 10)


@pytest.mark.filterwarnings('ignore:.*torch.jit.trace:DeprecationWarning')
def test_tracing_is_noticed():
    def function(x):
        return x + 1 if utils.is_jit_tracing() else x

    assert function(1) == 1
    traced = torch.jit.trace(function, torch.zeros(1), check_trace=False)
    assert traced(torch.zeros(1)) == 1


def test_first_axis_of_the_grid_is_the_first_tensor():
    rows, columns = utils.torch_meshgrid(torch.arange(2), torch.arange(3))
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert columns.tolist() == [[0, 1, 2], [0, 1, 2]]


def test_decorators_without_effect():
    assert utils.jit(len) is len
    assert utils.jit(coderize=True)(len) is len
    assert utils.skip_no_elena(len) is len


def test_build_of_torch():
    assert utils.get_build_config() == torch.__config__.show()
    assert utils.is_rocm_pytorch() is (torch.version.hip is not None)


def test_devices():
    assert torch.cuda.is_available() is utils.IS_CUDA_AVAILABLE
    assert utils.IS_MPS_AVAILABLE is torch.backends.mps.is_available()
    assert utils.IS_IPU_AVAILABLE is False
    assert device_type.IS_CUDA_AVAILABLE is device_type.is_cuda_available()
    with pytest.raises(AttributeError):
        device_type.is_cuda_there  # noqa: B018


def test_weights_of_a_url(tmp_path):
    torch.save({'a': torch.ones(2)}, tmp_path / 'there.pth')
    url = (tmp_path / 'there.pth').as_uri()
    found = utils.load_url(url, str(tmp_path / 'cache'), progress=False, file_name='x.pth')
    assert found['a'].tolist() == [1, 1]
    assert (tmp_path / 'cache' / 'x.pth').is_file()


def test_weights_of_a_url_run_no_code(tmp_path):
    torch.save({'a': print}, tmp_path / 'there.pth')
    with pytest.raises(Exception, match='[Ww]eights'):
        hub.load_url((tmp_path / 'there.pth').as_uri(), model_dir=str(tmp_path / 'cache'))


def test_there_are_no_compiled_extensions():
    assert ext_loader.check_ops_exist() is True
    with pytest.raises(ModuleNotFoundError, match='mmcv._ext, with nms, softnms, is a compiled '
                       'extension, and nothing is compiled here: mmcv.ops has') as error:
        ext_loader.load_ext('_ext', ['nms', 'softnms'])
    assert error.value.name == 'mmcv._ext'
