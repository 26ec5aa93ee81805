"""A data set with an evaluation of its own."""
import os.path as osp
from collections import OrderedDict

import mmcv
import numpy as np
from mmcv.utils import print_log

from mmseg.core import eval_metrics
from mmseg.datasets.builder import DATASETS
from mmseg.datasets.custom import CustomDataset


@DATASETS.register_module()
class RoadDataset(CustomDataset):

    CLASSES = ('ground', 'road', 'water')
    PALETTE = [[120, 120, 120], [200, 40, 40], [30, 60, 220]]

    def __init__(self, **kwargs):
        super().__init__(img_suffix='.png', seg_map_suffix='_gt.png', reduce_zero_label=False,
                         **kwargs)
        assert osp.exists(self.img_dir)
        self.names = [info['filename'] for info in self.img_infos]

    def get_gt_seg_maps(self, efficient_test=False):
        """Labels, of which a frame of one pixel does not count."""
        gt_seg_maps = []
        for img_info in self.img_infos:
            gt = mmcv.imread(osp.join(self.ann_dir, img_info['ann']['seg_map']), flag='unchanged',
                             backend='pillow')
            gt = np.array(gt)
            gt[[0, -1]] = self.ignore_index
            gt[:, [0, -1]] = self.ignore_index
            gt_seg_maps.append(gt)
        return gt_seg_maps

    def evaluate(self, results, metric='mIoU', logger=None, efficient_test=False, **kwargs):
        metric = [metric] if isinstance(metric, str) else list(metric)
        allowed = ['mIoU', 'roads']
        if not set(metric) <= set(allowed):
            raise KeyError(f'metric {metric} is not supported')
        gts = self.get_gt_seg_maps(efficient_test)
        assert len(results) == len(gts) == len(self.names)
        eval_results = OrderedDict()
        if 'mIoU' in metric:
            all_acc, acc, iou = eval_metrics(results, gts, len(self.CLASSES), self.ignore_index,
                                             metrics=['mIoU'])
            eval_results['mIoU'] = float(np.nanmean(iou))
            eval_results['aAcc'] = float(all_acc)
        if 'roads' in metric:
            hits = sum(int(((pred == 1) & (gt == 1)).sum())
                       for pred, gt in zip(results, gts))  # noqa: B905
            eval_results['roads'] = hits / max(1, sum(int((gt == 1).sum()) for gt in gts))
        for name, value in eval_results.items():
            print_log(f'road score {name}: {value:.4f}', logger)
        return eval_results
