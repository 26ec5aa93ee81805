"""Learning rates and momenta before each iteration, against those that mmcv 1.7.2 sets."""
import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.runner import EpochBasedRunner, Hook, IterBasedRunner


class TwoNumbers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))

    def train_step(self, data, optimizer):
        return {'loss': (self.a + self.b).sum(), 'log_vars': {}, 'num_samples': 1}


class Watch(Hook):
    def __init__(self):
        self.seen = {'lr': [], 'momentum': []}

    def before_train_iter(self, runner):
        self.seen['lr'].append(runner.current_lr())
        self.seen['momentum'].append(runner.current_momentum())


@pytest.fixture(scope='module')
def cases(shared_dir):
    file = shared_dir / 'reference/golden_mmcv/schedules.json'
    if not file.is_file():
        pytest.skip(f'no {file.name}')
    return json.loads(file.read_text())['cases']


def values_of(case):
    model = TwoNumbers()
    groups = [{'params': [model.a], 'lr': 0.1}, {'params': [model.b], 'lr': 0.02}]
    options = {'momentum': 0.9} if case['optimizer'] == 'SGD' else {}
    optimizer = getattr(torch.optim, case['optimizer'])(
        groups[:len(case['result']['lr'][0])], lr=1, **options)
    if case['runner'] == 'iter':
        runner = IterBasedRunner(model, optimizer=optimizer, max_iters=case['length'])
    else:
        runner = EpochBasedRunner(model, optimizer=optimizer,
                                  max_epochs=case['length'] // case['iters_per_epoch'])
    runner.register_lr_hook(case['lr_config'])
    runner.register_momentum_hook(case['momentum_config'])
    watch = Watch()
    runner.register_hook(watch, 'LOW')
    runner.run([DataLoader(range(case['iters_per_epoch']))], [('train', 1)])
    return watch.seen


def test_all_values(cases):
    assert len(cases) > 90
    for case in cases:
        seen, told = values_of(case), str({**case, 'result': '...'})
        for what, expected in case['result'].items():
            np.testing.assert_allclose(seen[what], np.array(expected), rtol=1e-9, err_msg=told)
