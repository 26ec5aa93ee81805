"""What is said of the software below a device."""
import importlib.metadata
import sys
import types

import pytest
import torch

from mmcv_replace import device as device_module
from mmcv_replace import device_report
from mmcv_replace.device import DeviceKind
from mmcv_replace.device_report import software_report
from mmcv_replace.utils.errors import DeviceError

TORCH = f'torch {torch.__version__}'
HOST = torch.__version__.split('+')[0]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A device of a made-up kind: `machine(plug-in's version, does it see a device)`."""
    def build(version=HOST, available=True):
        if version is not None:
            module = types.ModuleType('plugin_of_test')
            module.__spec__ = importlib.machinery.ModuleSpec('plugin_of_test', None)
            monkeypatch.setitem(sys.modules, 'plugin_of_test', module)
            known = importlib.metadata.version
            monkeypatch.setattr(importlib.metadata, 'version', lambda name: (
                version if name == 'plugin_of_test' else known(name)))
        device_module._plugin_error.cache_clear()
        monkeypatch.setattr(torch, 'xpu', types.SimpleNamespace(is_available=lambda: available))
        kinds = (DeviceKind('xpu', backend='b', plugin='plugin_of_test', software={
            'Kit': ('$KIT_OF_TEST/*-linux/kit.info', '$OLD_KIT_OF_TEST/kit.info'),
            'driver': (str(tmp_path / 'version.info'),)}), device_module.KINDS[-1])
        monkeypatch.setattr(device_module, 'KINDS', kinds)
        monkeypatch.setattr(device_report, 'KINDS', kinds)
    yield build
    device_module._plugin_error.cache_clear()


def test_a_machine_without_any_of_it(machine):
    machine(version=None)
    assert software_report('auto') == software_report('cpu') == TORCH
    assert software_report('xpu:1') == (
        f'{TORCH}, plugin_of_test is not installed, Kit not found, driver not found: they do not '
        'work: plugin_of_test is not installed: pip install "mmseg-ascend[npu]"')


@pytest.mark.parametrize('name', ['auto', 'xpu', 'xpu:0', 'XPU'])
def test_all_that_fits(machine, tmp_path, monkeypatch, name):
    machine(version=f'{HOST}.post2')
    (tmp_path / 'x-linux').mkdir()
    (tmp_path / 'x-linux/kit.info').write_text('package_name=Kit\nversion=9.1.0\narch=x\n')
    (tmp_path / 'version.info').write_text('Version=25.5.2\nascendhal_version=7.35\n')
    monkeypatch.setenv('KIT_OF_TEST', str(tmp_path))
    assert software_report(name) == (
        f'{TORCH}, plugin_of_test {HOST}, Kit 9.1.0, driver 25.5.2: they fit')


def test_the_second_place_serves_where_the_first_is_empty(machine, tmp_path, monkeypatch):
    machine()
    (tmp_path / 'kit.info').write_text('version=[8.0.0]\n')
    monkeypatch.setenv('KIT_OF_TEST', str(tmp_path / 'none'))
    monkeypatch.setenv('OLD_KIT_OF_TEST', str(tmp_path))
    assert 'Kit 8.0.0, driver not found' in software_report('xpu')


def test_a_driver_alone_shows_that_the_device_is_meant(machine, tmp_path):
    machine(version=None)
    (tmp_path / 'version.info').write_text('no number here')
    assert 'plugin_of_test is not installed' in software_report('auto')


def test_another_torch_does_not_fit(machine):
    machine(version='2.5.1')
    assert software_report('auto').endswith(
        f'they do not fit: version 2.5.1 needs torch 2.5.1, and this is torch {HOST}')


def test_a_plugin_that_sees_no_device(machine):
    machine(available=False)
    assert 'they do not work: plugin_of_test loads but sees no device' in software_report('xpu')


def test_a_device_that_is_unknown():
    with pytest.raises(DeviceError, match="unknown device 'abacus'"):
        software_report('abacus')
