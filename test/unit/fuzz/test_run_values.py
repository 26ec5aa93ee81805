"""Each setting of a training run with odd values: refused with its key, or the run works."""
import logging

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.runner import HOOKS
from mmcv_replace.utils import Config, build_from_cfg
from mmcv_replace.utils.errors import NonFiniteLossError, UserError
from mmseg.apis.train import train_segmentor

FEW = settings.get_profile('few')
RUN = dict(
    model={}, data=dict(samples_per_gpu=2, workers_per_gpu=0, train={}), log_level='ERROR',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.01,
                   paramwise_cfg=dict(custom_keys=dict(layer=dict(lr_mult=2)), norm_decay_mult=0)),
    optimizer_config=dict(grad_clip=dict(max_norm=1), cumulative_iters=1),
    lr_config=dict(policy='poly', power=0.9, min_lr=0.001, by_epoch=False, warmup='linear',
                   warmup_iters=2, warmup_ratio=0.1),
    momentum_config=None, runner=dict(type='IterBasedRunner', max_iters=3),
    checkpoint_config=dict(interval=2, by_epoch=False, max_keep_ckpts=1, filename_tmpl='i_{}.pth'),
    log_config=dict(interval=1, hooks=[dict(type='TextLoggerHook', by_epoch=False)]),
    custom_hooks=[dict(type='ProgressBarHook', priority='LOW')],
    workflow=[('train', 1)], fp16=None, seed=0, load_from=None, resume_from=None,
    find_unused_parameters=False, total_iters=3, total_epochs=None)
POLICIES = [
    dict(policy='step', step=[1, 2], gamma=0.1, min_lr=0), dict(policy='exp', gamma=0.9),
    dict(policy='inv', gamma=0.5, power=2), dict(policy='CosineAnnealing', min_lr_ratio=0.1),
    dict(policy='FlatCosineAnnealing', start_percent=0.5, min_lr=0),
    dict(policy='CosineRestart', periods=[2, 1], restart_weights=[1, 0.5], min_lr=0),
    dict(policy='cyclic', target_ratio=(10, 0.1), cyclic_times=1, step_ratio_up=0.4),
    dict(policy='OneCycle', max_lr=0.1, pct_start=0.3, div_factor=25, final_div_factor=100.0,
         anneal_strategy='cos', three_phase=False), dict(policy='fixed')]
ODD = [None, True, False, -1, 0, 1, 2, 7, 10**15, -0.5, 0.5, 1.5, 1e300, float('nan'), float('inf'),
       '', 'abc', '{', '{x}', '{}{}', '../out_{}.pth', 'a/b_{}.pth', 'x{}', 'linear', 'exp', 'Adam',
       'EpochBasedRunner', 'poly', (), [], [0], [1], [2, 1], (-1, 2), (1, 2), [0, 0],
       [('train', 0)],
       [('val', 1)], [('train', 1), ('val', 1)], ['train'], [5], {}, dict(a=1), dict(type='Adam'),
       dict(type='TextLoggerHook'), dict(max_norm='x'), dict(max_norm=-1), dict(max_norm=2, a=1),
       dict(loss_scale='x'), [dict(type='ProgressBarHook', priority='x')], [dict(type='nothing')]]


class Toy(nn.Module):
    CLASSES = PALETTE = None

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.norm = nn.LayerNorm(2)

    def train_step(self, data_batch, optimizer):
        loss = self.layer(self.norm(data_batch['x'])).square().mean()
        return dict(loss=loss, log_vars=dict(loss=loss.detach()), num_samples=2)

    val_step = train_step


class Numbers(Dataset):
    CLASSES = PALETTE = None

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return dict(x=torch.tensor([float(index), 1.0]))

    def evaluate(self, results, logger=None, metric='mIoU'):
        return dict(mIoU=0.5)


def keys(tree, place=''):
    for name, value in tree.items():
        yield place + name
        if isinstance(value, dict):
            yield from keys(value, f'{place}{name}.')


KEYS = [*keys(RUN), 'optimizer.betas', 'log_config.hooks.0.interval', 'log_config.hooks.0.type',
        'custom_hooks.0.priority', 'custom_hooks.0.type', 'checkpoint_config.out_dir',
        'checkpoint_config.save_last', 'lr_config.warmup_by_epoch', 'runner.max_epochs', 'ddp',
        'data.on_error', 'nonfinite', 'preemption', 'data.prefetch_factor', 'optimizer.nesterov',
        'optimizer_config.type', 'checkpoint_config.on_error']


def train(folder, options, **changes):
    cfg = Config(dict(RUN, work_dir=str(folder / 'run'), **changes))
    cfg.merge_from_dict({key: value for key, value in options.items()
                         if (key, value) != ('work_dir', None)})
    length = [cfg.get('total_iters'), cfg.get('total_epochs')]
    if isinstance(cfg.get('runner'), dict):
        length += [cfg.runner.get('max_iters'), cfg.runner.get('max_epochs')]
    if 10**15 in length:
        return  # a run may be long
    train_segmentor(Toy(), [Numbers() for _ in cfg.workflow or ()] if isinstance(
        cfg.get('workflow'), list | tuple) else Numbers(), cfg)


@pytest.fixture(autouse=True)
def quiet():
    yield
    logging.getLogger('mmseg').handlers.clear()


@pytest.mark.filterwarnings('ignore')
@FEW
@given(key=st.sampled_from(KEYS), value=st.sampled_from(ODD))
def test_one_setting(attempt, folder, key, value):
    error = attempt(train, folder, {key: value})
    named = isinstance(error, UserError) and not isinstance(error, NonFiniteLossError)
    if named and not isinstance(value, dict | list):
        text = ' '.join([str(error), *getattr(error, '__notes__', [])])
        assert any(part in text for part in (*key.split('.'), str(value), 'registry'))


@pytest.mark.filterwarnings('ignore')
@FEW
@given(options=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD), min_size=2, max_size=4))
def test_several_settings(attempt, folder, options):
    attempt(train, folder, options)


@pytest.mark.filterwarnings('ignore')
@FEW
@given(policy=st.sampled_from(POLICIES), name=st.integers(0, 9), value=st.sampled_from(ODD))
def test_schedules(attempt, folder, policy, name, value):
    policy = dict(policy)
    name = list(policy)[name % len(policy)]
    policy.update({name: value} if name != 'policy' else {}, by_epoch=False)
    attempt(train, folder, {}, lr_config=policy)


@FEW
@given(options=st.dictionaries(st.sampled_from(
    ('interval', 'start', 'save_best', 'rule', 'by_epoch', 'metric', 'pre_eval', 'no', 'type')),
    st.sampled_from(ODD), max_size=3))
def test_evaluation(attempt, options):
    attempt(build_from_cfg, {'type': 'EvalHook', **options}, HOOKS,
            dict(dataloader=DataLoader(Numbers())))


def test_the_run_of_these_tests_works(folder):
    for policy in POLICIES:
        train(folder / 'works', {}, lr_config=dict(policy, by_epoch=False))
    files = sorted(file.name for file in (folder / 'works/run').glob('*.pth'))
    assert files == ['i_3.pth', 'latest.pth']
