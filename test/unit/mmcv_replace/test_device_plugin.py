"""A device whose plug-in does not load: what is missing is named."""
import pytest
import torch

from mmcv_replace import device as device_module
from mmcv_replace.device import (
    resolve_device,
)
from mmcv_replace.utils import logging as our_logging
from mmcv_replace.utils.errors import DeviceError


@pytest.fixture
def broken_plugin(monkeypatch, tmp_path):
    """An environment with a torch_npu that does not load, and none of what it needs."""
    (tmp_path / 'torch_npu').mkdir()
    (tmp_path / 'torch_npu/__init__.py').write_text("raise ImportError('libhccl.so: not found')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(device_module.glob, 'glob', lambda pattern: [])
    monkeypatch.setattr(device_module.os.path, 'isdir', lambda path: False)
    monkeypatch.setattr(device_module.importlib.metadata, 'version', lambda name: '2.13.0.post1')
    monkeypatch.setattr(torch, '__version__', '2.13.0+cpu')
    for name in ('ASCEND_HOME_PATH', 'ASCEND_TOOLKIT_HOME'):
        monkeypatch.delenv(name, raising=False)
    device_module._plugin_error.cache_clear()
    yield monkeypatch
    device_module._plugin_error.cache_clear()


def npu_error():
    with pytest.raises(DeviceError) as raised:
        resolve_device('npu')
    return str(raised.value)


def test_what_keeps_the_plugin_from_loading_is_named(broken_plugin):
    message = npu_error()
    assert 'no NPU driver is installed' in message
    assert 'source /usr/local/Ascend/cann/set_env.sh or, of an older CANN, ' in message
    assert '/usr/local/Ascend/ascend-toolkit/set_env.sh' in message
    assert 'needs torch' not in message


def test_a_wrong_version_pair_is_named(broken_plugin):
    broken_plugin.setattr(torch, '__version__', '2.12.0+cpu')
    assert 'version 2.13.0 needs torch 2.13.0, and this is torch 2.12.0' in npu_error()


def test_when_all_is_there_the_import_error_speaks(broken_plugin):
    broken_plugin.setattr(device_module.glob, 'glob', lambda pattern: ['/dev/davinci0'])
    broken_plugin.setenv('ASCEND_HOME_PATH', '/usr/local/Ascend')
    assert 'does not fit it (libhccl.so: not found)' in npu_error()


def test_auto_goes_on_with_one_warning(broken_plugin, caplog):
    broken_plugin.setattr(our_logging, '_warned', set())
    broken_plugin.setattr(device_module, 'KINDS', (device_module.KINDS[0], device_module.KINDS[-1]))
    assert [resolve_device('auto').type for _ in range(2)] == ['cpu', 'cpu']
    assert len([r for r in caplog.records if 'torch_npu does not load' in r.message]) == 1


def test_a_plugin_that_is_not_installed_is_no_warning(caplog):
    device_module._plugin_error.cache_clear()
    assert 'is not installed' in device_module._plugin_error('a_package_that_does_not_exist')
    assert not caplog.records


def test_two_variables_of_one_allocator_are_named(broken_plugin):
    for name in device_module.ALLOCATOR:
        assert 'both set' not in npu_error()
        broken_plugin.setenv(name, 'x')
        device_module._plugin_error.cache_clear()
    assert 'PYTORCH_NPU_ALLOC_CONF and PYTORCH_ALLOC_CONF are both set: keep one' in npu_error()
