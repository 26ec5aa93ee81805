import pytest
import torch

from mmcv_replace import device
from mmcv_replace.device import DeviceKind
from mmcv_replace.parallel.targets import device_at
from mmcv_replace.utils.errors import DeviceError


class ThreeDevices:
    """What torch offers for an accelerator."""

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def device_count():
        return 3


def test_numbers_count_the_accelerators(monkeypatch):
    monkeypatch.setattr(torch, 'xpu', ThreeDevices)
    monkeypatch.setattr(device, 'KINDS', (DeviceKind('xpu', backend='xccl'), device.KINDS[-1]))
    assert device_at(2) == torch.device('xpu', 2)
    assert device_at(-1) == torch.device('cpu')
    with pytest.raises(DeviceError, match='xpu:3 does not exist'):
        device_at(3)


def test_every_number_is_the_host_without_an_accelerator(monkeypatch):
    monkeypatch.setattr(DeviceKind, 'available', lambda self: self.type == 'cpu')
    assert device_at(0) == device_at(-1) == torch.device('cpu')


@pytest.mark.parametrize('name', ['meta:1', torch.device('meta', 1)])
def test_names(name):
    assert device_at(name) == torch.device('meta', 1)
