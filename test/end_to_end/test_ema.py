"""Averaged weights in whole trainings: logged, kept, tested, resumed, in one process and in two."""
import json
import os
import subprocess
import sys

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.parallel import scatter
from mmseg.apis import init_segmentor
from mmseg.apis.cli import load_config
from mmseg.datasets import build_dataloader, build_dataset
from mmseg.models import build_segmentor

TASK = '''
evaluation = dict(interval=2)
# Without the weights every prediction is background, whatever the model.
model = dict(decode_head=dict(loss_decode=dict(class_weight=[0.02] + [1.0] * 20)))
optimizer = dict(lr=0.05)
'''
EMA = TASK + "custom_hooks = [dict(type='EMAHook', momentum=0.4, warm_up=1)]"


def json_lines(work_dir, mode):
    log = max(work_dir.glob('*.log.json'))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line.get('mode') == mode]


@pytest.fixture(scope='module')
def make_config(small_config, tmp_path_factory):
    def make(text):
        file = tmp_path_factory.mktemp('ema') / 'averaged.py'
        file.write_text(f'_base_ = {str(small_config)!r}\n{text}\n')
        return file
    return make


@pytest.fixture(scope='module')
def config(make_config):
    return make_config(EMA)


@pytest.fixture(scope='module')
def train(tool, tmp_path_factory):
    def run(config, *argv):
        work_dir = tmp_path_factory.mktemp('run')
        tool('train')([str(config), '--device', 'cpu', '--work-dir', str(work_dir), '--seed', '3',
                       *map(str, argv)])
        return work_dir
    return run


@pytest.fixture(scope='module')
def trained(train, config):
    return train(config)


@pytest.fixture
def score(tool, config, tmp_path):
    """mIoU that the test command finds."""
    def run(checkpoint, *argv):
        folder = tmp_path / f'{len(list(tmp_path.iterdir()))}'
        tool('test')([str(config), str(checkpoint), '--device', 'cpu', '--eval', 'mIoU',
                      '--work-dir', str(folder), *argv])
        return json.loads(next(folder.glob('eval_*.json')).read_text())['mIoU']
    return run


def test_training_is_the_same_with_and_without(trained, train, make_config):
    plain = train(make_config(TASK), '--no-validate')
    assert ([line['loss'] for line in json_lines(plain, 'train')]
            == [line['loss'] for line in json_lines(trained, 'train')])
    saved = [torch.load(folder / 'iter_4.pth', weights_only=True) for folder in (plain, trained)]
    assert set(saved[1]) - set(saved[0]) == {'ema_state_dict'}
    for key, value in saved[0]['state_dict'].items():
        assert torch.equal(value, saved[1]['state_dict'][key]), key


def test_the_average_follows_the_saved_weights(train, make_config):
    """Averages of checkpoints of every iteration, computed again from the trained weights."""
    averaging = EMA.replace('momentum', 'statistics_batches=0, momentum')
    work_dir = train(make_config(f'{averaging}\ncheckpoint_config = dict(interval=1)'),
                     '--no-validate')
    saved = [torch.load(work_dir / f'iter_{i}.pth', weights_only=True) for i in range(1, 5)]
    moving = [key for key in saved[0]['state_dict'] if not key.endswith('num_batches_tracked')]
    for before, after in zip(saved, saved[1:], strict=False):
        for key in moving:
            expected = (0.6 * before['ema_state_dict'][key].double()
                        + 0.4 * after['state_dict'][key].double())
            torch.testing.assert_close(after['ema_state_dict'][key], expected.float())
        for key in set(after['state_dict']) - set(moving):
            assert torch.equal(after['ema_state_dict'][key], after['state_dict'][key]), key
    assert not torch.equal(saved[3]['ema_state_dict']['decode_head.conv_seg.weight'],
                           saved[3]['state_dict']['decode_head.conv_seg.weight'])


def test_running_statistics_are_those_of_the_averaged_weights(trained, config):
    """Computed again by hooks on the norms, over the batches of the first epoch."""
    saved = torch.load(trained / 'iter_4.pth', weights_only=True)['ema_state_dict']
    cfg = load_config(str(config))
    model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    model = revert_sync_batchnorm(model)
    model.load_state_dict(saved)
    seen = {}
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm):
            module.register_forward_pre_hook(
                lambda module, args, name=name: seen.setdefault(name, []).append(args[0].double()))
    loader = build_dataloader(build_dataset(cfg.data.train), 4, 0, seed=3, drop_last=True)
    with torch.no_grad():
        for batch in loader:
            model.train()(**scatter(batch, torch.device('cpu')))
    assert len(seen) > 20
    for name, inputs in seen.items():
        assert len(inputs) == len(loader) > 1
        mean = torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0)
        var = torch.stack([x.var((0, 2, 3)) for x in inputs]).mean(0)
        torch.testing.assert_close(saved[f'{name}.running_mean'].double(), mean, rtol=1e-3,
                                   atol=1e-4)
        torch.testing.assert_close(saved[f'{name}.running_var'].double(), var, rtol=1e-3, atol=1e-4)


def test_the_scores_belong_to_the_weights(trained, score):
    lines = json_lines(trained, 'val')
    assert [line['iter'] for line in lines] == [2, 4]
    last = lines[-1]
    assert last['mIoU'] != last['mIoU_ema']
    assert score(trained / 'iter_4.pth') == pytest.approx(last['mIoU'], abs=1e-4)
    assert score(trained / 'iter_4.pth', '--ema') == pytest.approx(last['mIoU_ema'], abs=1e-4)


def test_the_best_file_has_its_score_without_an_option(trained, score):
    best, = trained.glob('best_*.pth')
    scores = {f'best_{name}_iter_{line["iter"]}.pth': line[name]
              for line in json_lines(trained, 'val') for name in ('mIoU', 'mIoU_ema')}
    assert scores[best.name] == max(scores.values())
    assert score(best) == pytest.approx(scores[best.name], abs=1e-4)


def test_the_best_file_by_averaged_weights(train, make_config, score):
    work_dir = train(make_config(f"{EMA}\nevaluation = dict(interval=2, save_best='mIoU_ema')"))
    best, = work_dir.glob('best_mIoU_ema_iter_*.pth')
    expected = max(line['mIoU_ema'] for line in json_lines(work_dir, 'val'))
    assert score(best) == pytest.approx(expected, abs=1e-4)
    assert score(best, '--ema') == pytest.approx(expected, abs=1e-4)


def test_inference_with_averaged_weights(trained, config):
    saved = torch.load(trained / 'iter_4.pth', weights_only=True)
    for averaged, key in ((False, 'state_dict'), (True, 'ema_state_dict')):
        model = init_segmentor(config, str(trained / 'iter_4.pth'), 'cpu', averaged=averaged)
        assert torch.equal(model.decode_head.conv_seg.weight,
                           saved[key]['decode_head.conv_seg.weight'])


@pytest.mark.parametrize('by_epoch', [False, True])
def test_a_resumed_run_ends_as_the_whole_one(train, make_config, by_epoch):
    runner = ("runner = dict(_delete_=True, type='EpochBasedRunner', max_epochs=2)\n"
              "checkpoint_config = dict(interval=1, by_epoch=True)" if by_epoch else '')
    config = make_config(f'{EMA}\n{runner}\nevaluation = dict(interval=1, by_epoch={by_epoch})')
    first, last = ('epoch_1.pth', 'epoch_2.pth') if by_epoch else ('iter_2.pth', 'iter_4.pth')
    whole = train(config)
    resumed = train(config, '--resume-from', whole / first)
    ends = [torch.load(folder / last, weights_only=True) for folder in (whole, resumed)]
    for part in ('state_dict', 'ema_state_dict'):
        for key, value in ends[0][part].items():
            assert torch.equal(value, ends[1][part][key]), (part, key)
    scores = [json_lines(folder, 'val')[-1] for folder in (whole, resumed)]
    assert scores[0]['mIoU_ema'] == scores[1]['mIoU_ema']
    assert scores[0]['mIoU_ema'] != scores[0]['mIoU']


@pytest.mark.parametrize('precision', ['bf16 = dict()', "bf16 = dict(opt_level='O2')"])
def test_mixed_precision(train, make_config, precision):
    work_dir = train(make_config(f'{EMA}\n{precision}'))
    saved = torch.load(work_dir / 'iter_4.pth', weights_only=True)
    assert {value.dtype for value in saved['ema_state_dict'].values()} == {torch.float32,
                                                                           torch.int64}
    key = 'backbone.layer1.0.conv1.weight'
    averaged, trained = saved['ema_state_dict'][key], saved['state_dict'][key]
    assert not torch.equal(averaged, trained)
    assert not torch.equal(averaged, averaged.bfloat16().float())  # it has more digits


def test_two_processes(repo_dir, config, tmp_path):
    def run(name, *argv):
        command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
                   '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
                   str(repo_dir / 'tools/train.py'), str(config), '--launcher', 'pytorch',
                   '--device', 'cpu', '--seed', '3', '--work-dir', str(tmp_path / name), *argv,
                   '--cfg-options', 'data.samples_per_gpu=2']
        done = subprocess.run(command, env={**os.environ, 'OMP_NUM_THREADS': '1'},
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return torch.load(tmp_path / name / 'iter_4.pth', weights_only=True)

    whole = run('whole')
    last = json_lines(tmp_path / 'whole', 'val')[-1]
    assert last['mIoU'] != last['mIoU_ema']
    key = 'decode_head.conv_seg.weight'
    assert not torch.equal(whole['ema_state_dict'][key], whole['state_dict'][key])
    resumed = run('resumed', '--resume-from', str(tmp_path / 'whole/iter_2.pth'))
    for key, value in whole['ema_state_dict'].items():
        assert torch.equal(value, resumed['ema_state_dict'][key]), key


def test_ema_of_a_checkpoint_without_it(tool, train, small_config, tmp_path):
    from mmcv_replace.utils.errors import CheckpointError
    work_dir = train(small_config, '--no-validate')
    with pytest.raises(CheckpointError, match=r'latest\.pth has no averaged weights'):
        tool('test')([str(small_config), str(work_dir / 'latest.pth'), '--device', 'cpu', '--eval',
                      'mIoU', '--ema'])
