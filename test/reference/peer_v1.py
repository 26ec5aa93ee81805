"""The benchmark's work by mmsegmentation 1.x, mmengine and mmcv 2.x."""
import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from peer_common import Computing, Maps, load_batch, metas, without_dropout


def build_as_test_does(config):
    """The imports of the peer's tools/test.py, then its config and model."""
    from mmengine.runner import Runner  # noqa: F401
    return build_model(Config.fromfile(config))


def build_model(cfg):
    from mmseg.registry import MODELS
    from mmseg.utils import register_all_modules
    register_all_modules()
    cfg.model.pretrained = None
    # The images are normalised already, and all of one size.
    cfg.model.data_preprocessor = dict(type='SegDataPreProcessor', size_divisor=1)
    return revert_sync_batchnorm(MODELS.build(cfg.model))


def load_model(cfg, weights, device):
    model = build_model(cfg)
    model.load_state_dict(torch.load(weights))
    return model.to(device)


def make_samples(img, label=None):
    from mmseg.structures import SegDataSample
    samples = []
    for meta in metas(img):
        size = {'ori_shape': meta['ori_shape'][:2], 'img_shape': meta['img_shape'][:2]}
        samples.append(SegDataSample(metainfo={**meta, **size, 'padding_size': [0, 0, 0, 0]}))
    for index, sample in enumerate(samples):
        if label is not None:
            sample.gt_sem_seg = PixelData(data=label[index][None])
    return samples


class Train(Computing):
    about = {}

    def __init__(self, config, batch, device, weights, dtype, steps):
        super().__init__(device, steps)
        cfg = Config.fromfile(config)
        self.model = load_model(cfg, weights, device).train()
        self.optimizer = build_optim_wrapper(
            self.model, dict(type='OptimWrapper', optimizer=cfg.optimizer))
        self.img, self.label = load_batch(batch, device)

    def step(self):
        data = {'inputs': list(self.img), 'data_samples': make_samples(self.img, self.label)}
        return self.model.train_step(data, self.optimizer)

    def check(self):
        with without_dropout(self.model):
            return {'loss': np.array([self.step()['loss'].item() for _ in range(2)])}

    def state(self):
        yield from self.tensors(self.model, self.optimizer.optimizer)
        yield from (self.img, self.label)


class Infer(Computing):
    about = {}

    def __init__(self, config, batch, device, weights, dtype, steps):
        super().__init__(device, steps)
        self.model = load_model(Config.fromfile(config), weights, device).eval()
        self.img, _ = load_batch(batch, device)

    def step(self):
        data = {'inputs': list(self.img), 'data_samples': make_samples(self.img)}
        with torch.no_grad():
            samples = self.model.test_step(data)
        return [sample.pred_sem_seg.data[0].cpu().numpy() for sample in samples]

    def check(self):
        return {'labels': np.stack(self.step())}

    def state(self):
        yield from self.tensors(self.model)
        yield self.img


class Evaluation(Maps):
    def score(self):
        from mmseg.evaluation import IoUMetric
        totals = [0, 0, 0, 0]
        for pred, label in zip(self.pred, self.label, strict=True):
            areas = IoUMetric.intersect_and_union(
                torch.from_numpy(pred), torch.from_numpy(label), self.classes, 255)
            totals = [total + area for total, area in zip(totals, areas, strict=True)]
        return IoUMetric.total_area_to_metrics(*totals, metrics=['mIoU'])['IoU']


CASES = {'train': Train, 'infer': Infer, 'eval': Evaluation}
