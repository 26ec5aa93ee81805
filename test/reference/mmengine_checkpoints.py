"""Checkpoints that mmengine's own Runner writes, and the names of the objects in them.

    python -m venv peer && peer/bin/pip install torch mmengine==0.10.7 numpy==1.26.4
    peer/bin/python test/reference/mmengine_checkpoints.py FOLDER

(or onedl-mmengine==0.10.12, with NumPy 2) trains a toy segmentor for a few steps with a message
hub, an average of the weights, a schedule and a best checkpoint, by iterations and by epochs, and
prints which globals the pickle of each file asks for. `test_foreign_objects.py` builds files of
the same globals by hand.
"""
import pickletools
import sys
import zipfile
from pathlib import Path

import mmengine
import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset


class Pixels(Dataset):
    METAINFO = dict(classes=('road', 'car'), palette=[[128, 64, 128], [0, 0, 142]])

    def __init__(self):
        self.metainfo = dict(self.METAINFO)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.full((3, 4, 4), float(index)), torch.zeros(4, 4, dtype=torch.long)


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.conv_seg = nn.Conv2d(3, 2, 1)
        self.norm = nn.BatchNorm2d(2)

    def forward(self, inputs, labels, mode='tensor'):
        logits = self.norm(self.conv_seg(inputs))
        if mode == 'loss':
            return {'loss_seg': nn.functional.cross_entropy(logits, labels),
                    'acc_seg': (logits.argmax(1) == labels).float().mean()}
        return [logits]

    def train_step(self, data, optim_wrapper):
        with optim_wrapper.optim_context(self):
            losses = self(*data, mode='loss')
        loss, log_vars = self.parse_losses(losses)
        optim_wrapper.update_params(loss)
        return log_vars

    def val_step(self, data):
        return self(*data, mode='tensor')


class Score(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return {'mIoU': np.float64(len(results)), 'aAcc': np.round(np.float32(0.5), 2)}


class Notes(Hook):
    """What hooks of users put into the hub: NumPy numbers, arrays, tensors."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        hub = runner.message_hub
        hub.update_scalar('train/np', np.float32(0.25))
        hub.update_info('array', np.arange(3))
        hub.update_info('np64', np.float64(0.5))


def train(folder, by_epoch):
    loop = (dict(by_epoch=True, max_epochs=2, val_interval=1) if by_epoch
            else dict(type='IterBasedTrainLoop', max_iters=6, val_interval=3))
    loader = dict(batch_size=2, num_workers=0, dataset=Pixels(),
                  collate_fn=dict(type='default_collate'),
                  sampler=dict(type='DefaultSampler', shuffle=True))
    Runner(
        Toy(), work_dir=str(folder), train_dataloader=loader, val_dataloader=dict(loader),
        train_cfg=loop, val_cfg={}, val_evaluator=[Score()],
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=6,
                              by_epoch=by_epoch)],
        default_hooks=dict(checkpoint=dict(
            type='CheckpointHook', interval=1 if by_epoch else 3, by_epoch=by_epoch,
            save_best='mIoU')),
        custom_hooks=[EMAHook(ema_type='ExponentialMovingAverage', momentum=0.01), Notes()],
        cfg=mmengine.Config(dict(norm_cfg=dict(type='BN'), work=str(folder))),
        experiment_name=folder.name, randomness=dict(seed=3)).train()


def globals_of(path):
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith('data.pkl'))
        content = archive.read(name)
    strings, found = [], set()
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name == 'GLOBAL':
            found.add(argument.replace(' ', '.'))
        elif opcode.name == 'STACK_GLOBAL':
            found.add('.'.join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return sorted(found)


def main():
    out = Path(sys.argv[1])
    for name, by_epoch in (('iters', False), ('epochs', True)):
        train(out / name, by_epoch)
    for path in sorted(out.glob('*/*.pth')):
        print(f'{path.relative_to(out)}: {", ".join(globals_of(path))}')
    print(f'mmengine {mmengine.__version__}, numpy {np.__version__}, torch {torch.__version__}')


if __name__ == '__main__':
    main()
