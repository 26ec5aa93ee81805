"""The device table: names, indices, errors."""
import os
import random

import numpy as np
import pytest
import torch

from mmcv_replace import device as device_module
from mmcv_replace.device import (
    DeviceKind,
    is_asynchronous,
    kind_of,
    max_memory_mb,
    resolve_device,
    seed_everything,
    synchronize,
)
from mmcv_replace.device_start import start_device
from mmcv_replace.utils.errors import ConfigError, DeviceError


class FakeModule:
    """What torch offers for an accelerator, with three devices."""

    def __init__(self):
        self.calls = []

    def is_available(self):
        return True

    def device_count(self):
        return 3

    def max_memory_allocated(self, device):
        return 5 * 2**20 + 7

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, *args))


@pytest.fixture
def accelerator(monkeypatch):
    """A machine whose accelerator is of type 'xpu', a type that torch knows and we do not."""
    module = FakeModule()
    monkeypatch.setattr(torch, 'xpu', module)
    kinds = (DeviceKind('xpu', backend='xccl', aliases=('accelerator',), visible=('SEEN',)),
             device_module.KINDS[-1])
    monkeypatch.setattr(device_module, 'KINDS', kinds)
    return module


@pytest.fixture
def cpu_only(monkeypatch):
    monkeypatch.setattr(DeviceKind, 'available', lambda self: self.type == 'cpu')


@pytest.mark.parametrize(('dtype', 'capability'), [
    (torch.bfloat16, '_is_amx_tile_supported'), (torch.float16, '_is_amx_fp16_supported')])
def test_matrix_units_of_the_cpu_want_channels_last(monkeypatch, dtype, capability):
    cpu = torch.device('cpu')
    for name in ('_is_amx_tile_supported', '_is_amx_fp16_supported'):
        monkeypatch.setattr(torch.cpu, name, lambda found=name == capability: found, raising=False)
    assert 'AMX' in kind_of(cpu).channels_last(dtype)
    others = {torch.float32, torch.bfloat16, torch.float16} - {dtype}
    assert {kind_of(cpu).channels_last(other) for other in others} == {None}
    with monkeypatch.context() as patched:
        patched.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
        assert kind_of(cpu).channels_last(dtype) is None
    monkeypatch.setattr(torch.cpu, capability, lambda: False)
    assert kind_of(cpu).channels_last(dtype) is None
    monkeypatch.delattr(torch.cpu, capability)
    assert kind_of(cpu).channels_last(dtype) is None


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_channels_last_elsewhere(dtype):
    reasons = {kind.type: kind.channels_last(dtype) for kind in device_module.KINDS}
    assert reasons['cuda'] is not None
    assert reasons['npu'] is None


@pytest.mark.skipif(not hasattr(torch.cpu, 'get_capabilities'), reason='an older torch')
def test_the_capability_is_what_torch_publishes():
    published = torch.cpu.get_capabilities().get('amx_tile', False)
    assert (kind_of('cpu').channels_last(torch.bfloat16) is not None) == published


def test_auto_is_the_cpu_without_an_accelerator(cpu_only):
    assert resolve_device('auto') == torch.device('cpu')


def test_auto_takes_the_accelerator(accelerator):
    assert resolve_device('auto') == torch.device('xpu', 0)


@pytest.mark.parametrize(('name', 'index'), [('xpu', 0), ('xpu:2', 2), ('accelerator:1', 1),
                                             (' XPU:1 ', 1)])
def test_names_aliases_and_indices(accelerator, name, index):
    assert resolve_device(name) == torch.device('xpu', index)


def test_the_local_rank_chooses_the_index(accelerator, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '2')
    assert resolve_device('xpu') == torch.device('xpu', 2)
    assert resolve_device('xpu:0') == torch.device('xpu', 0)


def test_a_list_of_devices_is_no_local_rank(accelerator, monkeypatch):
    """The Ascend Operator's, in a process that is none of the job, such as a check before it."""
    monkeypatch.setenv('LOCAL_RANK', '0,1,2')
    assert resolve_device('xpu') == torch.device('xpu', 0)


@pytest.mark.parametrize(('variables', 'own'), [
    (dict(SLURM_PROCID='7', SLURM_LOCALID='3', SEEN='0'), True),  # with ConstrainDevices
    (dict(SLURM_PROCID='7', SLURM_LOCALID='3', SEEN='3'), True),
    (dict(SLURM_PROCID='7', SLURM_LOCALID='3'), True),
    (dict(SLURM_PROCID='7', SLURM_LOCALID='3', SLURM_GPUS_ON_NODE='4'), True),
    (dict(SLURM_PROCID='7', SLURM_LOCALID='3', SLURM_GPUS_ON_NODE='1', SEEN='0'), False),
    (dict(SEEN='3'), True),  # a wrapper under mpirun
    ({}, False),
    (dict(TORCHELASTIC_RUN_ID='none', SEEN='0'), False),  # all processes see the same
    (dict(TORCHELASTIC_RUN_ID='none', SLURM_PROCID='0', SLURM_LOCALID='0'), False),
])
def test_a_process_that_sees_one_device(accelerator, monkeypatch, variables, own):
    monkeypatch.setattr(accelerator, 'device_count', lambda: 1, raising=False)
    for name in ('TORCHELASTIC_RUN_ID', 'SLURM_PROCID', 'SLURM_LOCALID', 'SLURM_GPUS_ON_NODE'):
        monkeypatch.delenv(name, raising=False)
    for name, value in dict(LOCAL_RANK='3', **variables).items():
        monkeypatch.setenv(name, value)
    if own:
        assert resolve_device('xpu') == torch.device('xpu', 0)
        with pytest.raises(DeviceError, match='xpu:3 does not exist'):
            resolve_device('xpu:3')
    else:
        seen = ', SEEN=0' if 'SEEN' in variables else ''
        with pytest.raises(DeviceError, match=f'xpu:3 does not exist: .* sees 1 .*from 0{seen};'):
            resolve_device('xpu')


def test_a_device_that_is_missing_among_several(accelerator, monkeypatch):
    """A task that sees some devices has not its own one."""
    for name, value in dict(LOCAL_RANK='3', SLURM_PROCID='3', SLURM_LOCALID='3', SEEN='0,1,2',
                            SLURM_GPUS_ON_NODE='4').items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError, match='xpu:3 does not exist: this process sees 3.*SEEN=0,1,2'):
        resolve_device('auto')


def test_an_index_beyond_the_last_device(accelerator):
    with pytest.raises(DeviceError, match=r'xpu:3 does not exist.*sees 3'):
        resolve_device('xpu:3')


@pytest.mark.parametrize('name', ['', 'xpu:', 'xpu:one', 'xpu 1'])
def test_a_name_that_cannot_be_read(name):
    with pytest.raises(DeviceError, match='cannot read the device'):
        resolve_device(name)


def test_an_unknown_device():
    with pytest.raises(DeviceError, match=r"unknown device 'tpu': choose auto, npu, cuda, gpu"):
        resolve_device('tpu')


@pytest.mark.parametrize('name', ['npu', 'gpu', 'cuda:0'])
def test_a_device_that_is_not_usable(cpu_only, name):
    with pytest.raises(DeviceError, match=f"'{name}' is not usable here.*--device cpu"):
        resolve_device(name)


def test_a_plugin_that_does_not_import_makes_its_device_unavailable():
    kind = DeviceKind('cuda', backend='b', plugin='a_package_that_does_not_exist')
    assert not kind.available()


@pytest.mark.parametrize(('name', 'backend'), [('npu', 'hccl'), ('cuda', 'nccl'), ('cpu', 'gloo')])
def test_backends(name, backend):
    assert device_module.find_kind(name).backend == backend


def test_what_the_cpu_can_do():
    cpu = torch.device('cpu')
    assert kind_of('cpu') is kind_of(cpu)
    assert not is_asynchronous(cpu)
    assert not kind_of(cpu).pinned_memory
    assert not kind_of(cpu).sync_batchnorm
    assert max_memory_mb(cpu) is None


def test_what_an_accelerator_is_asked(accelerator):
    device = torch.device('xpu', 1)
    assert is_asynchronous(device)
    assert kind_of(device).backend == 'xccl'
    assert kind_of(device).pinned_memory
    assert kind_of(device).sync_batchnorm
    assert max_memory_mb(device) == 5
    start_device(device)
    synchronize(device)
    assert accelerator.calls == [('set_device', device), ('synchronize', device)]


def test_the_cpu_is_set_and_awaited_without_effect():
    start_device(torch.device('cpu'))
    synchronize(torch.device('cpu'))
    assert torch.zeros(1).device.type == 'cpu'


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_fixes_every_generator():
    seed_everything(7)
    first = draws()
    seed_everything(7)
    assert draws() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_deterministic_kernels_are_asked_for():
    try:
        seed_everything(0, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.deterministic
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic = False


def test_kernel_search_is_switched(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)
    device_module.set_kernel_search(True)
    assert torch.backends.cudnn.benchmark
    with device_module.no_kernel_search():
        assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.benchmark


def test_start_up_settings(monkeypatch):
    calls = []

    class Switches:
        allow_internal_format = True
        allow_hf32 = True

    class Module(FakeModule):
        __name__ = 'torch.xpu'
        config, matmul = Switches(), Switches()

        def set_compile_mode(self, jit_compile):
            calls.append(jit_compile)

        def __getattr__(self, name):
            if name.startswith(('set_device', 'sync')):
                return lambda *args: None
            raise AttributeError(name)

    module = Module()
    monkeypatch.setattr(torch, 'xpu', module)
    monkeypatch.setattr(device_module, 'KINDS', (DeviceKind(
        'xpu', backend='b', settings={'jit_compile': False, 'allow_internal_format': False}),))
    start_device(torch.device('xpu', 0), {'jit_compile': True, 'matmul.allow_hf32': False})
    assert calls == [True]
    assert module.config.allow_internal_format is False
    assert module.matmul.allow_hf32 is False
    assert module.config.allow_hf32 is True
    with pytest.raises(ConfigError, match=r'xpu = dict\(nothing.here=...\) is not a setting'):
        start_device(torch.device('xpu', 0), {'nothing.here': 1})


@pytest.fixture
def strict_kind(accelerator, monkeypatch):
    kind = DeviceKind('xpu', backend='b', strict='STRICT_OF_TEST')
    monkeypatch.setattr(device_module, 'KINDS', (kind, device_module.KINDS[-1]))
    monkeypatch.setenv('STRICT_OF_TEST', 'mine')
    return torch.device('xpu', 0)


@pytest.mark.parametrize(('settings', 'value'), [
    ({}, 'mine'), (None, 'mine'), ({'strict': True}, '1'), ({'strict': False}, '0')])
def test_operators_without_a_kernel_may_be_errors(strict_kind, settings, value):
    start_device(strict_kind, settings)
    assert os.environ['STRICT_OF_TEST'] == value


def test_a_strictness_of_another_kind(strict_kind, accelerator, monkeypatch):
    with pytest.raises(ConfigError, match=r"xpu = dict\(strict='yes'\): give True or False"):
        start_device(strict_kind, {'strict': 'yes'})
    with pytest.raises(ConfigError, match='strict'):
        start_device(torch.device('cpu'), {'strict': True})


def test_low_precision_and_scaler_of_the_cpu():
    cpu = torch.device('cpu')
    assert device_module.low_precision_dtype(cpu) is torch.bfloat16
    scaler = device_module.make_grad_scaler(cpu, init_scale=4.)
    assert isinstance(scaler, torch.amp.GradScaler)
    assert scaler.get_scale() == 4
