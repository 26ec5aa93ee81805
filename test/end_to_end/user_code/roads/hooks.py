"""A hook, and a schedule of the learning rate."""
import os.path as osp

import mmcv
from mmcv.runner import HOOKS, Hook, get_dist_info, master_only
from mmcv.runner.hooks.lr_updater import LrUpdaterHook


@HOOKS.register_module()
class KeepLossHook(Hook):
    """Write the losses and learning rates of a run to a file."""

    def __init__(self, interval=1, out_name='losses.json'):
        self.interval = interval
        self.out_name = out_name
        self.rows = []

    def before_run(self, runner):
        rank, world_size = get_dist_info()
        runner.logger.info(f'losses are kept by {rank} of {world_size}')

    def after_train_iter(self, runner):
        if self.every_n_iters(runner, self.interval):
            self.rows.append(dict(
                iter=runner.iter + 1, lr=runner.current_lr()[0],
                loss=float(runner.outputs['loss']),
                seg=float(runner.outputs['log_vars']['decode.loss_seg'])))

    @master_only
    def after_run(self, runner):
        assert runner.mode in ('train', 'val')
        mmcv.dump(self.rows, osp.join(runner.work_dir, self.out_name))


@HOOKS.register_module()
class StairsLrUpdaterHook(LrUpdaterHook):
    """The rate goes down to `min_lr` in equal steps."""

    def __init__(self, stairs=4, min_lr=0., **kwargs):
        self.stairs = stairs
        self.min_lr = min_lr
        super().__init__(**kwargs)

    def get_lr(self, runner, base_lr):
        if self.by_epoch:
            progress, max_progress = runner.epoch, runner.max_epochs
        else:
            progress, max_progress = runner.iter, runner.max_iters
        stair = progress * self.stairs // max_progress
        return base_lr + (self.min_lr - base_lr) * stair / self.stairs
