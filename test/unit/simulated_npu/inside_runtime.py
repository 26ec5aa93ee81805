"""Devices, memory, streams, settings, profiler and counters of the simulated NPU."""
import json

import pytest
import torch
import torch_npu
from torch_npu import simulation


def test_devices():
    assert torch.npu.is_available()
    assert torch.npu.device_count() == torch.accelerator.device_count() == 8
    assert torch.accelerator.current_accelerator().type == 'npu'
    torch.npu.set_device('npu:1')
    assert torch.npu.current_device() == torch.accelerator.current_device_index() == 1
    assert torch.npu.is_initialized()
    torch.npu.set_device(torch.device('npu', 0))
    with pytest.raises(RuntimeError, match='Invalid NPU device ID 8: this process sees 8'):
        torch.npu.set_device(8)
    with pytest.raises(ValueError, match='Expected a npu device'):
        torch.npu.max_memory_allocated('cpu')


def test_memory_is_counted_by_device():
    before = torch.npu.memory_allocated(2)
    torch.npu.reset_peak_memory_stats(2)
    x = torch.zeros(1000, device='npu:2')
    assert torch.npu.memory_allocated('npu:2') - before == 4096
    y = x.clone()
    del y
    assert torch.npu.memory_allocated(2) - before == 4096
    assert torch.npu.max_memory_allocated(torch.device('npu', 2)) - before == 8192
    del x
    assert torch.npu.memory_allocated(2) == before
    torch.npu.reset_peak_memory_stats(2)
    assert torch.npu.max_memory_allocated(2) == before


def test_pinned_memory():
    pinned = torch.arange(4.).pin_memory()
    assert pinned.is_pinned()
    assert pinned[2:].is_pinned()
    assert not torch.arange(4.).is_pinned()
    assert pinned.device.type == 'cpu'


def test_streams_and_events():
    start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
    start.record()
    stream = torch.npu.Stream()
    with torch.npu.stream(stream):
        assert torch.npu.current_stream() == stream
        torch.ones(100, device='npu').sum()
    assert torch.npu.current_stream() == torch.npu.default_stream() != stream
    stream.wait_stream(torch.npu.current_stream())
    end.record()
    assert start.elapsed_time(end) > 0
    torch.ones(1, device='npu').record_stream(stream)


def test_seeding_every_device():
    torch.manual_seed(3)
    assert torch.npu.initial_seed() == 3
    states = torch.npu.get_rng_state_all()
    assert len(states) == 8
    first = torch.rand(1, device='npu:7').item()
    torch.npu.set_rng_state_all(states)
    assert torch.rand(1, device='npu:7').item() == first


def test_settings_are_kept():
    torch.npu.set_compile_mode(jit_compile=False)
    torch.npu.config.allow_internal_format = False
    torch.npu.conv.allow_hf32 = True
    torch.npu.matmul.allow_hf32 = False
    assert torch.npu.is_jit_compile_false()
    assert torch.npu.conv.allow_hf32
    assert simulation.settings() == {'jit_compile': False, 'config.allow_internal_format': False,
                                     'conv.allow_hf32': True, 'matmul.allow_hf32': False}
    with pytest.raises(AttributeError, match='torch.npu.conv has no option'):
        torch.npu.conv.allow_tf32 = True
    with pytest.raises(TypeError, match='must be a bool'):
        torch.npu.matmul.allow_hf32 = 1


def test_the_profiler_writes_its_folder(tmp_path):
    profiler = torch_npu.profiler
    with profiler.profile(
            activities=[profiler.ProfilerActivity.CPU, profiler.ProfilerActivity.NPU],
            schedule=profiler.schedule(wait=1, active=1, warmup=1, repeat=1),
            on_trace_ready=profiler.tensorboard_trace_handler(str(tmp_path))) as prof:
        for _ in range(4):
            torch.ones(3, device='npu').exp()
            prof.step()
    file, = tmp_path.glob('*_ascend_pt/ASCEND_PROFILER_OUTPUT/trace_view.json')
    names = {event.get('name') for event in json.loads(file.read_text())['traceEvents']}
    assert 'aten::exp' in names
    with pytest.raises(TypeError, match='not an activity'):
        profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])


X = torch.tensor([1.0, -2.0, 3.0])


@pytest.mark.parametrize(('kind', 'operator', 'run'), [
    ('host_sync', 'aten::_local_scalar_dense', lambda x: x[0].item()),
    ('host_sync', 'aten::_local_scalar_dense', lambda x: float(x.sum())),
    ('host_sync', 'aten::_local_scalar_dense', lambda x: bool((x > 0).any())),
    ('host_sync', 'aten::_copy_from', lambda x: x.cpu()),
    ('host_sync', 'aten::_copy_from', lambda x: x.tolist()),
    ('host_sync', 'aten::nonzero', lambda x: x.nonzero()),
    ('host_sync', 'aten::equal', lambda x: torch.equal(x, x)),
    ('host_sync', 'aten::_unique2', lambda x: x.unique()),
    ('host_sync', 'synchronize', lambda x: torch.npu.synchronize()),
    ('host_sync', 'synchronize', lambda x: torch.accelerator.synchronize()),
    ('host_sync', 'synchronize', lambda x: torch.npu.current_stream().synchronize()),
    ('boolean_index', 'aten::masked_select', lambda x: x.masked_select(x > 0)),
    ('boolean_index', 'aten::index.Tensor_out', lambda x: x[x > 0]),
    ('boolean_index', 'aten::_index_put_impl_', lambda x: x.__setitem__(x > 0, x[:1])),
    ('boolean_index', 'aten::nonzero', lambda x: torch.where(x > 0)),
    ('blocking_upload', 'aten::_copy_from', lambda x: X.to('npu')),
    ('blocking_upload', 'aten::_copy_from', lambda x: X.to('npu', non_blocking=True)),
    ('blocking_upload', 'aten::_copy_from', lambda x: X.pin_memory().to('npu')),
    ('blocking_upload', 'aten::_copy_from', lambda x: torch.tensor(1.0, device='npu')),
    ('float64_cast', 'aten::_to_copy', lambda x: x.double()),
    ('ops', 'aten::add.out', lambda x: x + 1),
    ('ops', 'aten::convolution_overrideable',
     lambda x: torch.conv1d(x.view(1, 1, 3), x.view(1, 1, 3))),
])
def test_what_is_counted(kind, operator, run):
    x = X.to('npu')
    with simulation.counting() as counted:
        run(x)
    assert operator in counted[kind]
    if kind == 'ops':
        return
    with simulation.forbidding(kind), pytest.raises(RuntimeError, match=f'forbidden here: {kind}'):
        run(x)
    run(x)


@pytest.mark.parametrize('run', [
    lambda x: X.pin_memory().to('npu', non_blocking=True),
    lambda x: torch.zeros(3, pin_memory=True).copy_(x, non_blocking=True),
    lambda x: x.to('cpu', non_blocking=True),  # into page-locked memory
    lambda x: x.to('npu:1'),
    lambda x: x[torch.zeros_like(x, dtype=torch.int64)],
    lambda x: torch.where(x > 0, x, 0.0),
    lambda x: x.masked_fill(x > 0, 0.0),
    lambda x: x * 2 + torch.rand_like(x),
    lambda x: x.topk(2)[0].sum(),
    lambda x: torch.full((3,), 2.0, device='npu'),
    lambda x: torch.nn.functional.cross_entropy(
        x[None, :, None], torch.zeros(1, 1, dtype=torch.int64, device='npu')),
])
def test_what_keeps_the_host_free(run):
    x = X.to('npu')
    with simulation.counting() as counted:
        run(x)
    assert sum(counted.pop('ops').values()) > 0
    assert not any(counted.values()), counted


def test_counters_add_up_and_start_over():
    x = X.to('npu')
    simulation.reset()
    for _ in range(3):
        x[0].item()
    assert simulation.counters()['host_sync'] == {'aten::_local_scalar_dense': 3}
    simulation.reset()
    assert not any(simulation.counters().values())
    with pytest.raises(ValueError, match='unknown kind'), simulation.forbidding('everything'):
        pass
