"""What a resumed run is told otherwise than the one that it goes on."""
import logging

import pytest
import torch
from torch import nn

from mmcv_replace.runner import save_checkpoint
from mmcv_replace.utils import Config
from mmseg.apis.resuming import choose_start

BEFORE = dict(
    optimizer=dict(type='SGD', lr=0.01),
    optimizer_config={},
    lr_config=dict(policy='poly', power=0.9, min_lr=1e-4, by_epoch=False),
    runner=dict(type='IterBasedRunner', max_iters=100),
    data=dict(samples_per_gpu=4, train=dict(type='A')),
    seed=3)


@pytest.fixture
def told(tmp_path, caplog):
    """The lines about changes, of a resume with these settings."""
    def run(saved=BEFORE, auto=False, meta=None, **changes):
        model = nn.Linear(2, 2)
        meta = meta or dict(config=Config(saved).pretty_text, seed=3)
        save_checkpoint(model, tmp_path / 'x.pth', torch.optim.SGD(model.parameters(), lr=0.01),
                        dict(iter=50, epoch=1, **meta))
        cfg = Config({**BEFORE, 'work_dir': str(tmp_path), 'auto_resume': auto,
                      'resume_from': None if auto else str(tmp_path / 'x.pth')})
        cfg.merge_from_dict(changes)
        caplog.clear()
        logging.getLogger('mmseg').propagate = True
        with caplog.at_level('WARNING', 'mmseg'):
            choose_start(cfg)
        texts = [r.getMessage() for r in caplog.records if 'config differs' in r.getMessage()]
        return texts[0].splitlines()[1:-1] if texts else []
    return run


@pytest.mark.parametrize('auto', [False, True])
def test_an_unchanged_config_is_no_news(told, auto):
    assert told(auto=auto) == []
    assert told(seed=None) == []


@pytest.mark.parametrize(('changes', 'line'), [
    ({'lr_config.min_lr': 0}, 'lr_config.min_lr: config 0, checkpoint 0.0001; in force is the '
     "config's, on the learning rate of the checkpoint"),
    ({'lr_config.warmup': 'linear'}, "lr_config.warmup: config 'linear', checkpoint None; in force "
     "is the config's, on the learning rate of the checkpoint"),
    ({'runner.max_iters': 200}, 'runner.max_iters: config 200, checkpoint 100; in force is the '
     "config's"),
    ({'seed': 4}, "seed: config 4, checkpoint 3; in force is the config's for the order of the "
     'data; random numbers go on as in the checkpoint'),
    ({'data.samples_per_gpu': 2}, 'data.samples_per_gpu: config 2, checkpoint 4; in force is the '
     "config's, from the same place in the data"),
    ({'optimizer.type': 'AdamW'}, "optimizer.type: config 'AdamW', checkpoint 'SGD'; in force is "
     "the config's, with the running averages of the checkpoint"),
    ({'optimizer_config.grad_clip': dict(max_norm=1)}, 'optimizer_config.grad_clip.max_norm: '
     "config 1, checkpoint None; in force is the config's"),
    ({'momentum_config': dict(policy='cyclic')}, "momentum_config.policy: config 'cyclic', "
     "checkpoint None; in force is the config's, on the momentum of the checkpoint"),
    ({'fp16': dict(loss_scale=512.)}, 'fp16.loss_scale: config 512.0, checkpoint None; in force is '
     "the config's"),
])
@pytest.mark.parametrize('auto', [False, True])
def test_a_change_is_named(told, changes, line, auto):
    assert f'  {line}' in told(auto=auto, **changes)


def test_what_is_empty_on_one_side_is_told_once(told):
    line, = told(**{'optimizer_config.grad_clip': dict(max_norm=1)})
    assert line.startswith('  optimizer_config.grad_clip.max_norm: ')
    line, = told(bf16={})
    assert line.startswith('  bf16: config {}, checkpoint None')


def test_several_changes(told):
    lines = told(**{'runner.max_iters': 10, 'seed': 9, 'data.train.type': 'B'})
    assert [line.split(':')[0] for line in lines] == ['  runner.max_iters', '  seed']


@pytest.mark.parametrize('meta', [
    dict(seed=3), dict(config='model = build()'), dict(config=7), dict(config=['a'])], ids=str)
def test_a_checkpoint_whose_config_cannot_be_read(told, meta):
    assert told(meta=meta, **{'runner.max_iters': 200}) == []


def test_the_remedy(told, caplog):
    told(seed=4)
    assert 'for a new run from its weights use --load-from instead' in caplog.text
