"""Two processes on the CPU against one: the same training, the same scores, one clean end."""
import json
import os
import re
import subprocess
import sys

import pytest
import torch

from mmseg.core import get_classes

COMMON = ['model.decode_head.dropout_ratio=0', 'model.auxiliary_head.dropout_ratio=0',
          'runner.max_iters=20', 'optimizer.lr=0.01', 'checkpoint_config.interval=20']


def losses(work_dir):
    lines = [json.loads(line) for line in max(work_dir.glob('*.log.json')).open()]
    return [line['loss'] for line in lines if line.get('mode') == 'train']


@pytest.fixture(scope='module')
def torchrun(repo_dir):
    """Run a tool in two processes on this machine."""
    def run(tool, *argv, timeout=240, pythonpath=''):
        command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
                   '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
                   str(repo_dir / 'tools' / f'{tool}.py'), *map(str, argv)]
        return subprocess.run(command, env={**os.environ, 'OMP_NUM_THREADS': '1',
                                                'PYTHONPATH': str(pythonpath)},
                              capture_output=True, text=True, timeout=timeout)
    return run


@pytest.fixture(scope='module')
def both(torchrun, run_tool, small_config, tmp_path_factory):
    """Work dirs of one process with batches of 4, and of two processes with batches of 2."""
    folder = tmp_path_factory.mktemp('distributed')
    arguments = ['--device', 'cpu', '--seed', 5, '--no-validate', '--cfg-options', *COMMON]
    one = run_tool('train', small_config, '--work-dir', folder / 'one', *arguments)
    assert one.returncode == 0, one.stderr
    two = torchrun('train', small_config, '--launcher', 'pytorch', '--work-dir', folder / 'two',
                   *arguments, 'data.samples_per_gpu=2', 'ddp.static_graph=True')
    assert two.returncode == 0, two.stderr
    return folder / 'one', folder / 'two', two


def test_losses_are_those_of_one_process(both):
    """SyncBN over both halves is BN over the batch, and gradients are averaged."""
    one, two, _ = both
    assert len(losses(two)) == 20
    torch.testing.assert_close(torch.tensor(losses(two)), torch.tensor(losses(one)), rtol=1e-5,
                               atol=1e-5)


def test_one_image_in_each_process_is_a_batch_of_two(torchrun, run_tool, small_config, tmp_path):
    """The pyramid's mean over the image is one value a channel, of which SyncBN sees both."""
    arguments = ['--device', 'cpu', '--seed', 5, '--no-validate', '--cfg-options', *COMMON,
                 'runner.max_iters=6']
    one = run_tool('train', small_config, '--work-dir', tmp_path / 'one', *arguments,
                   'data.samples_per_gpu=2')
    assert one.returncode == 0, one.stderr
    two = torchrun('train', small_config, '--launcher', 'pytorch', '--work-dir', tmp_path / 'two',
                   *arguments, 'data.samples_per_gpu=1')
    assert two.returncode == 0, two.stderr
    assert len(losses(tmp_path / 'two')) == 6
    torch.testing.assert_close(torch.tensor(losses(tmp_path / 'two')),
                               torch.tensor(losses(tmp_path / 'one')), rtol=1e-5, atol=1e-5)


def test_only_the_first_process_logs_and_saves(both):
    _, two, done = both
    assert len(list(two.glob('*.log'))) == len(list(two.glob('*.log.json'))) == 1
    assert len(re.findall(r'Iter \[20/20\]', done.stderr)) == 1
    assert 'processes: 2' in done.stderr


def test_norms_are_synchronised_statistics(both):
    states = [torch.load(folder / 'latest.pth', weights_only=True)['state_dict']
              for folder in both[:2]]
    for key, value in states[0].items():
        torch.testing.assert_close(states[1][key], value, rtol=1e-3, atol=1e-4, msg=key)


def test_scores_of_two_processes_are_those_of_one(both, torchrun, run_tool, small_config,
                                                  tmp_path):
    checkpoint = both[0] / 'latest.pth'
    arguments = [small_config, checkpoint, '--device', 'cpu', '--eval', 'mIoU', 'mFscore']
    results = []
    for name, run in (('one', run_tool), ('two', torchrun)):
        extra = ['--launcher', 'pytorch'] if name == 'two' else []
        # Three images: the processes get unequal shares.
        done = run('test', *arguments, '--work-dir', tmp_path / name, '--out',
                   tmp_path / f'{name}.pkl', *extra)
        assert done.returncode == 0, done.stderr
        results.append(json.loads(next((tmp_path / name).glob('*.json')).read_text()))
    assert results[0] == results[1]
    assert (tmp_path / 'one.pkl').read_bytes() == (tmp_path / 'two.pkl').read_bytes()


def test_evaluation_in_a_distributed_training(torchrun, small_config, tmp_path):
    done = torchrun('train', small_config, '--launcher', 'pytorch', '--device', 'cpu',
                    '--work-dir', tmp_path, '--seed', 1)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r'Summary: aAcc: ', done.stderr + done.stdout)) <= 2
    assert (tmp_path / 'best_mIoU_iter_4.pth').exists()


OWN = """
import numpy as np
from mmseg.datasets import DATASETS, CustomDataset

@DATASETS.register_module()
class Counted(CustomDataset):
    def evaluate(self, results, metric='mIoU', logger=None):
        ids = [int(info['filename'].split('_')[-1].split('.')[0]) for info in self.img_infos]
        same = [result.shape == self.get_gt_seg_map(i).shape for i, result in enumerate(results)]
        return {'number': np.float32(len(results)), 'metric': str(metric),
                'mIoU': 0.5 if all(same) and len(ids) == len(results) else 0.0}

    def format_results(self, results, out_dir):
        with open(out_dir + '.txt', 'w') as file:
            file.write(str(len(results)))
"""


def test_an_evaluate_of_the_users_is_called_with_everything(torchrun, run_tool, small_config,
                                                            devkit, tmp_path):
    (tmp_path / 'own_dataset_of_test.py').write_text(OWN)
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    own = dict(type='Counted', img_dir='JPEGImages', ann_dir='SegmentationClass',
               split='ImageSets/Segmentation/val.txt', classes=list(get_classes('voc')))
    (tmp_path / 'config.py').write_text(
        f"_base_ = {str(small_config)!r}\n"
        "custom_imports = dict(imports=['own_dataset_of_test'])\n"
        f"data = dict(val=dict(**{own}), test=dict(**{own}))\n"
        "evaluation = dict(interval=4, metric='mine')\n")
    done = torchrun('train', tmp_path / 'config.py', '--launcher', 'pytorch', '--device', 'cpu',
                    '--work-dir', tmp_path / 'run', '--seed', 1, pythonpath=tmp_path)
    assert done.returncode == 0, done.stderr
    log = next((tmp_path / 'run').glob('*.log.json')).read_text().splitlines()
    assert json.loads(log[-1]).items() >= {'number': len(names), 'metric': 'mine',
                                           'mIoU': 0.5}.items()
    checkpoint = tmp_path / 'run/best_mIoU_iter_4.pth'
    for name, run in (('one', run_tool), ('two', torchrun)):
        extra, more = ([], {}) if name == 'one' else (['--launcher', 'pytorch'],
                                                      {'pythonpath': tmp_path})
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv('PYTHONPATH', str(tmp_path))
            done = run('test', tmp_path / 'config.py', checkpoint, '--device', 'cpu', '--eval',
                       'boundary', '--work-dir', tmp_path / name, *extra, **more)
            assert done.returncode == 0, done.stderr
            scores = json.loads(next((tmp_path / name).glob('*.json')).read_text())
            assert scores == {'number': len(names), 'metric': "['boundary']", 'mIoU': 0.5}
            done = run('test', tmp_path / 'config.py', checkpoint, '--device', 'cpu',
                       '--format-only', '--eval-options', f'out_dir={tmp_path / name}', *extra,
                       **more)
            assert done.returncode == 0, done.stderr
            assert (tmp_path / f'{name}.txt').read_text() == str(len(names))


def test_gradients_are_accumulated_without_needless_exchange(torchrun, small_config, tmp_path):
    """Two iterations of 2 + 2 images make the step of one process over them."""
    done = torchrun('train', small_config, '--launcher', 'pytorch', '--device', 'cpu',
                    '--work-dir', tmp_path, '--seed', 1, '--no-validate', '--cfg-options',
                    'data.samples_per_gpu=2', 'optimizer_config.cumulative_iters=2')
    assert done.returncode == 0, done.stderr
    assert len(losses(tmp_path)) == 4


HANG = '''
import os, time
from mmcv_replace.runner import HOOKS, Hook

@HOOKS.register_module()
class HangHook(Hook):
    def before_train_iter(self, runner):
        if runner.iter == 2 and runner.rank == 1:
            time.sleep(600)
'''


def test_a_process_that_hangs_is_named(torchrun, small_config, tmp_path):
    (tmp_path / 'hang_hook_of_test.py').write_text(HANG)
    (tmp_path / 'config.py').write_text(
        f"_base_ = {str(small_config)!r}\n"
        "custom_imports = dict(imports=['hang_hook_of_test'])\n"
        "custom_hooks = [dict(type='HangHook')]\n"
        "dist_params = dict(timeout=8)\n")
    done = torchrun('train', tmp_path / 'config.py', '--launcher', 'pytorch', '--device', 'cpu',
                    '--work-dir', tmp_path / 'run', '--no-validate', pythonpath=tmp_path)
    assert done.returncode != 0
    behind = re.search(r'stayed behind first:\nrank (\d): iteration (\d), silent', done.stderr)
    assert behind, done.stderr
    assert behind.groups() == ('1', '3')


def test_all_processes_end_when_one_fails(torchrun, small_config, tmp_path):
    done = torchrun('train', small_config, '--launcher', 'pytorch', '--device', 'cpu',
                    '--work-dir', tmp_path, '--cfg-options', 'data.train.img_dir=Nowhere')
    assert done.returncode != 0
    assert 'Nowhere' in done.stderr
    assert 'rank' in done.stderr
