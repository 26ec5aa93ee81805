"""The commands as on an Ascend host, on the simulated NPU, against the same on the CPU."""
import json
import pickle

import numpy as np
import pytest
import torch

# Dropout draws from the device's generator, which on a real NPU has other numbers.
NO_DROPOUT = ['--seed', '3', '--cfg-options', 'model.decode_head.dropout_ratio=0',
              'model.auxiliary_head.dropout_ratio=0']


def json_lines(work_dir, mode='train'):
    file, = work_dir.glob('*.log.json')
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line for line in lines if line.get('mode') == mode]


def losses(work_dir):
    return [line['loss'] for line in json_lines(work_dir)]


def weights(file):
    return torch.load(file, weights_only=True)['state_dict']


@pytest.fixture(scope='module')
def train(run_on_npu, small_config, tmp_path_factory):
    """`train(*arguments, options=[...], nproc=1)` trains on the NPU and returns the work_dir."""
    def run(*arguments, config=small_config, options=(), nproc=1):
        work_dir = tmp_path_factory.mktemp('npu')
        run_on_npu(['tools/train.py', config, '--device', 'npu', '--work-dir', work_dir, *arguments,
                    *NO_DROPOUT, *options], nproc=nproc)
        return work_dir
    return run


@pytest.fixture(scope='module')
def on_npu(train):
    return train()


@pytest.fixture(scope='module')
def train_on_cpu(tool, small_config, tmp_path_factory):
    def run(*arguments):
        work_dir = tmp_path_factory.mktemp('cpu')
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(work_dir),
                       *map(str, arguments), *NO_DROPOUT])
        return work_dir
    return run


@pytest.fixture(scope='module')
def on_cpu(train_on_cpu):
    return train_on_cpu()


def test_training_is_that_of_the_cpu(on_npu, on_cpu):
    assert losses(on_npu) == pytest.approx(losses(on_cpu), abs=1e-4)
    assert len(losses(on_npu)) == 4
    assert np.isfinite(losses(on_npu)).all()
    expected = weights(on_cpu / 'iter_4.pth')
    for key, value in weights(on_npu / 'iter_4.pth').items():
        assert value.device.type == 'cpu'
        torch.testing.assert_close(value, expected[key], rtol=1e-3, atol=1e-4, msg=key)
    assert json_lines(on_npu)[-1]['memory'] > 0
    ours, theirs = json_lines(on_npu, 'val')[0], json_lines(on_cpu, 'val')[0]
    assert ours['mIoU'] == pytest.approx(theirs['mIoU'], abs=1e-4)


@pytest.fixture(scope='module')
def resumed(train, on_cpu):
    return train('--resume-from', on_cpu / 'iter_2.pth', '--no-validate')


def test_resuming_on_the_other_device(resumed, train_on_cpu, on_npu):
    on_cpu = train_on_cpu('--resume-from', on_npu / 'iter_2.pth', '--no-validate')
    assert [line['iter'] for line in json_lines(resumed)] == [3, 4]
    assert losses(resumed) == pytest.approx(losses(on_cpu), abs=1e-4)


def test_the_test_command_and_inference(run_on_npu, tool, on_npu, small_config, devkit, tmp_path):
    checkpoint = on_npu / 'latest.pth'
    arguments = [small_config, checkpoint, '--eval', 'mIoU', '--out']
    run_on_npu(['tools/test.py', *arguments, tmp_path / 'npu.pkl', '--device', 'npu',
                '--work-dir', tmp_path])
    tool('test')([*map(str, arguments), str(tmp_path / 'cpu.pkl'), '--device', 'cpu'])
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    images = [str(devkit / 'VOC2012/JPEGImages' / f'{name}.jpg') for name in names]
    run_on_npu(f'''
import pickle
from mmseg.apis import inference_segmentor, init_segmentor

model = init_segmentor({str(small_config)!r}, {str(checkpoint)!r}, 'npu')
assert next(model.parameters()).device.type == 'npu'
with open({str(tmp_path / 'api.pkl')!r}, 'wb') as file:
    pickle.dump(inference_segmentor(model, {images!r}), file)
''')
    scores = json.loads(next(tmp_path.glob('eval_*.json')).read_text())
    assert scores['mIoU'] == pytest.approx(json_lines(on_npu, 'val')[0]['mIoU'], abs=1e-4)
    npu, cpu, api = (pickle.loads((tmp_path / f'{name}.pkl').read_bytes())
                     for name in ('npu', 'cpu', 'api'))
    assert len(npu) == len(names)
    for ours, theirs, called in zip(npu, cpu, api, strict=True):
        assert np.array_equal(ours, theirs)
        assert np.array_equal(called, theirs)


def test_two_devices_are_one_with_the_whole_batch(train, on_npu):
    work_dir = train(nproc=2, options=['data.samples_per_gpu=2'])
    assert losses(work_dir) == pytest.approx(losses(on_npu), abs=1e-4)
    ours, theirs = json_lines(work_dir, 'val')[0], json_lines(on_npu, 'val')[0]
    assert ours['mIoU'] == pytest.approx(theirs['mIoU'], abs=1e-4)


def test_the_test_command_on_two_devices(run_on_npu, on_npu, small_config, tmp_path):
    run_on_npu(['tools/test.py', small_config, on_npu / 'latest.pth', '--device', 'npu', '--eval',
                'mIoU', '--work-dir', tmp_path], nproc=2)
    scores = json.loads(next(tmp_path.glob('eval_*.json')).read_text())
    assert scores['mIoU'] == pytest.approx(json_lines(on_npu, 'val')[0]['mIoU'], abs=1e-4)


@pytest.fixture(scope='module')
def counted(train, small_config, tmp_path_factory):
    """`counted(config text, *arguments)`: what each iteration but the first two did on the NPU."""
    def run(text='', *arguments, nproc=1):
        folder = tmp_path_factory.mktemp('counted')
        (folder / 'counted.py').write_text(f'''
_base_ = {str(small_config)!r}
custom_imports = dict(imports=['step_counts'])
custom_hooks = [dict(type='StepCountsHook', file={str(folder / "steps.json")!r},
                     priority='HIGHEST')]
log_config = dict(interval=100)
checkpoint_config = dict(interval=100)
runner = dict(max_iters=5)
{text}
''')
        train('--no-validate', *arguments, config=folder / 'counted.py', nproc=nproc)
        # The first iteration makes caches, and in the second DDP orders its buckets.
        return json.loads((folder / 'steps.json').read_text())[2:]
    return run


EVERYTHING = '''
bf16 = dict()
optimizer = dict(_delete_=True, type='NpuFusedSGD', lr=0.01, momentum=0.9, weight_decay=0.0005)
optimizer_config = dict(grad_clip=dict(max_norm=1.0))
model = dict(decode_head=dict(sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100)))
data = dict(workers_per_gpu=2)
custom_hooks += [dict(type='EMAHook', update_buffers=True)]
'''


@pytest.mark.parametrize(('text', 'nproc'), [('', 1), ('', 2), (EVERYTHING, 1)])
def test_an_iteration_never_waits(counted, text, nproc):
    steps = counted(text, nproc=nproc)
    assert len(steps) == 2
    for step in steps:
        assert step.pop('ops')['aten::convolution_overrideable'] > 20
        assert not any(step.values()), step


def test_an_iteration_that_logs_waits_for_the_losses_and_whether_they_are_finite(counted):
    for step in counted('log_config = dict(interval=1)'):
        assert step['host_sync'] == {'aten::_copy_from': 2}
        assert not step['boolean_index']
        assert not step['float64_cast']


def test_skipping_waits_for_whether_the_step_is_finite(counted):
    for step in counted("nonfinite = dict(action='skip')"):
        assert step['host_sync'] == {'aten::_local_scalar_dense': 1}
        assert not step['boolean_index']


def test_averages_are_those_of_the_cpu(train, tool, small_config, tmp_path):
    config = tmp_path / 'averaged.py'
    config.write_text(f'''
_base_ = {str(small_config)!r}
custom_hooks = [dict(type='EMAHook', momentum=0.4, warm_up=1, update_buffers=True)]
''')
    on_npu = train('--no-validate', config=config)
    tool('train')([str(config), '--device', 'cpu', '--work-dir', str(tmp_path / 'cpu'),
                   '--no-validate', *NO_DROPOUT])
    ours, theirs = (torch.load(folder / 'iter_4.pth', weights_only=True)['ema_state_dict']
                    for folder in (on_npu, tmp_path / 'cpu'))
    trained = weights(on_npu / 'iter_4.pth')
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, rtol=1e-3, atol=1e-4, msg=key)
    assert not torch.allclose(ours['backbone.stem.1.running_mean'],
                              trained['backbone.stem.1.running_mean'], rtol=1e-3, atol=1e-4)


def test_loss_scaling_waits_for_nothing_but_the_overflow(counted):
    for step in counted('', '--amp', '--opt-level', 'O2'):
        assert step['ops']['aten::_amp_foreach_non_finite_check_and_unscale_'] == 1
        assert set(step['host_sync']) == {'aten::_local_scalar_dense'}
        assert not step['boolean_index']
        assert not step['blocking_upload']
        assert not step['float64_cast']


def assert_near_but_not_equal(low_precision, expected):
    """Of two checkpoints: one computed in 16 bits, both stored in float32."""
    low_precision, expected = weights(low_precision), weights(expected)
    assert {value.dtype for value in low_precision.values()} == {torch.float32, torch.int64}
    name = 'backbone.layer4.1.conv2.weight'
    assert not torch.equal(low_precision[name], expected[name])
    torch.testing.assert_close(low_precision[name], expected[name], rtol=0.01, atol=1e-3)


@pytest.mark.parametrize(('arguments', 'nproc'), [
    (('--amp', '--opt-level', 'O2'), 2),
    (('--amp', '--loss-scale', '128'), 1),
])
def test_mixed_precision_is_near(train, on_npu, arguments, nproc):
    work_dir = train(*arguments, '--no-validate', nproc=nproc,
                     options=[f'data.samples_per_gpu={4 // nproc}'])
    assert losses(work_dir) == pytest.approx(losses(on_npu), abs=1e-2)
    assert_near_but_not_equal(work_dir / 'iter_4.pth', on_npu / 'iter_4.pth')


def test_the_fused_optimizer_trains_as_torchs(train, on_npu, resumed, on_cpu):
    options = ['optimizer.type=NpuFusedSGD']
    work_dir = train(options=options)
    assert losses(work_dir) == pytest.approx(losses(on_npu), abs=1e-4)
    # From the state of another optimizer on another device, and with mixed precision from there.
    again = train('--resume-from', on_cpu / 'iter_2.pth', '--no-validate', '--amp', options=options)
    assert losses(again) == pytest.approx(losses(resumed), abs=1e-2)
    assert_near_but_not_equal(again / 'iter_4.pth', resumed / 'iter_4.pth')


def test_resuming_goes_on_with_the_loss_scale(train, on_npu):
    options = ['fp16.loss_scale.init_scale=64.0', 'fp16.loss_scale.growth_interval=1']
    work_dir = train('--no-validate', options=options)
    assert losses(work_dir) == pytest.approx(losses(on_npu), abs=1e-2)
    again = train('--no-validate', '--resume-from', work_dir / 'iter_2.pth', options=options)
    scales = [torch.load(file, weights_only=True)['scaler']['scale']
              for file in (work_dir / 'iter_2.pth', work_dir / 'iter_4.pth', again / 'iter_4.pth')]
    assert scales == [64.0 * 2**2, 64.0 * 2**4, 64.0 * 2**4]


def test_the_device_starts_with_the_settings_of_the_config(run_on_npu):
    done = run_on_npu('''
from mmcv_replace.device import resolve_device
from mmcv_replace.device_start import start_device
from torch_npu import simulation

start_device(resolve_device('npu:3'))
print(simulation.settings())
start_device(resolve_device('npu'), {'jit_compile': True, 'matmul.allow_hf32': True})
print(simulation.settings())
''')
    defaults, changed = map(eval, done.stdout.splitlines())
    assert defaults == {'jit_compile': False, 'config.allow_internal_format': False}
    assert changed == {**defaults, 'jit_compile': True, 'matmul.allow_hf32': True}


def test_devices_that_are_not_there(run_on_npu, small_config):
    done = run_on_npu(['tools/train.py', small_config, '--device', 'npu'], check=False,
                      ASCEND_RT_VISIBLE_DEVICES='')
    assert done.returncode == 2
    assert 'torch_npu loads but sees no device' in done.stderr


def test_profiling(train):
    work_dir = train('--prof', '--no-validate', options=['runner.max_iters=12'])
    file, = work_dir.glob('prof/*_ascend_pt/ASCEND_PROFILER_OUTPUT/trace_view.json')
    names = {event.get('name') for event in json.loads(file.read_text())['traceEvents']}
    assert 'aten::convolution_overrideable' in names
