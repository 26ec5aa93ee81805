"""The benchmark's work by mmsegmentation 0.x and mmcv 1.x."""
import logging
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmcv import Config
from mmcv.cnn.utils import revert_sync_batchnorm
from mmcv.runner import CheckpointHook, IterBasedRunner, build_optimizer
from peer_common import (
    CHECKED,
    Computing,
    Maps,
    count_saved,
    load_batch,
    metas,
    seed,
    without_dropout,
)


def build_as_test_does(config):
    """The imports of the peer's tools/test.py, then its config and model."""
    import mmseg.apis  # noqa: F401
    import mmseg.utils  # noqa: F401
    from mmseg.datasets import build_dataloader, build_dataset  # noqa: F401
    from mmseg.models import build_segmentor
    cfg = Config.fromfile(config)
    cfg.model.pretrained = None
    cfg.model.train_cfg = None
    return build_segmentor(cfg.model, test_cfg=cfg.get('test_cfg'))


def load_model(cfg, weights, device):
    """The model as the peer's tools wrap it for one device."""
    from mmseg.models import build_segmentor
    from mmseg.utils import build_dp
    model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    model = revert_sync_batchnorm(model)
    model.load_state_dict(torch.load(weights))
    kind, index = torch.device(device).type, torch.device(device).index
    ids = {} if kind == 'cpu' else {'device_ids': [index or 0]}
    return build_dp(model, kind, **ids)


class Batches:
    epoch = 0

    def __init__(self, batch):
        self.batch = batch

    def __next__(self):
        return dict(self.batch)


def make_runner(cfg, weights, batch, device, work_dir):
    """The peer's runner with its lr and optimizer hooks, ready for the first iteration."""
    img, label = load_batch(batch, device)
    model = load_model(cfg, weights, device)
    runner = IterBasedRunner(
        model, optimizer=build_optimizer(model, cfg.optimizer), work_dir=str(work_dir),
        logger=logging.getLogger('peer'), max_iters=20000, meta={})
    runner.register_training_hooks(cfg.lr_config, cfg.optimizer_config)
    runner.call_hook('before_run')
    runner.call_hook('before_epoch')
    return runner, Batches({'img': img, 'img_metas': metas(img),
                            'gt_semantic_seg': label[:, None]})


class Train(Computing):
    about = {}

    def __init__(self, config, batch, device, weights, dtype, steps):
        super().__init__(device, steps)
        self.runner, self.batches = make_runner(
            Config.fromfile(config), weights, batch, device, Path(config).with_name('peer'))

    def step(self):
        self.runner.train(self.batches)

    def check(self):
        losses = []
        with without_dropout(self.runner.model):
            for _ in range(2):
                self.step()
                losses.append(self.runner.outputs['loss'].item())
        return {'loss': np.array(losses)}

    def state(self):
        yield from self.tensors(self.runner.model, self.runner.optimizer)
        yield from (self.batches.batch[name] for name in ('img', 'gt_semantic_seg'))


class Infer(Computing):
    about = {}

    def __init__(self, config, batch, device, weights, dtype, steps):
        super().__init__(device, steps)
        self.model = load_model(Config.fromfile(config), weights, device).eval()
        self.img, _ = load_batch(batch, device)
        self.metas = metas(self.img)

    def step(self):
        with torch.no_grad():
            return self.model(return_loss=False, rescale=True, img=[self.img],
                              img_metas=[self.metas])

    def check(self):
        return {'labels': np.stack(self.step())}

    def state(self):
        yield from self.tensors(self.model)
        yield self.img


class Pipeline:
    def __init__(self, config, testing, images):
        from mmseg.datasets import build_dataset
        cv2.setNumThreads(0)
        self.dataset = build_dataset(Config.fromfile(config).data.train, dict(test_mode=testing))
        self.images = images
        self.rounds = 0

    def check(self):
        found = {}
        for index in range(min(CHECKED, len(self.dataset))):
            seed(index)
            sample = self.dataset[index]
            for name in ('img', 'gt_semantic_seg'):
                if name in sample:
                    value = sample[name]
                    value = value[0] if isinstance(value, list) else value
                    found[f'{name}/{index}'] = getattr(value, 'data', value).numpy()
        return found

    def round(self):
        seed(self.rounds)
        self.rounds += 1
        start = time.perf_counter()
        for index in range(self.images):
            self.dataset[index % len(self.dataset)]
        return (time.perf_counter() - start) / self.images

    def timed_steps(self):
        return self.dataset.pipeline.transforms


class Evaluation(Maps):
    def score(self):
        from mmseg.core.evaluation import mean_iou
        return mean_iou(self.pred, self.label, self.classes, 255)['IoU']


class Predict:
    """The loop of the peer's demos: its public function, called with one file after the other."""

    about = {'dtype': 'float32'}

    def __init__(self, config, device, checkpoint, files):
        from mmseg.apis import init_segmentor
        self.model = init_segmentor(config, checkpoint, device)
        self.files = files

    def predict(self, file):
        from mmseg.apis import inference_segmentor
        return inference_segmentor(self.model, file)[0]

    def check(self):
        return {f'labels/{number}': self.predict(file)
                for number, file in enumerate(self.files[:CHECKED])}

    def round(self):
        start = time.perf_counter()
        for file in self.files:
            self.predict(file)
        return (time.perf_counter() - start) / len(self.files)


class Large(Predict):
    """The same for one large file."""

    def __init__(self, config, device, checkpoint, file):
        super().__init__(config, device, checkpoint, [file])

    def check(self):
        return {'labels': self.predict(self.files[0])}


class Checkpoint:
    def __init__(self, config, weights, batch, device, folder):
        work_dir = Path(folder, 'peer_checkpoints')
        work_dir.mkdir(exist_ok=True)
        self.runner, self.batches = make_runner(
            Config.fromfile(config), weights, batch, device, work_dir)
        self.hook = CheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1)
        self.hook.before_run(self.runner)
        self.runner.train(self.batches)

    def check(self):
        self.hook.after_train_iter(self.runner)
        return count_saved(self.runner.meta['hook_msgs']['last_ckpt'])

    def round(self):
        self.runner.train(self.batches)
        start = time.perf_counter()
        self.hook.after_train_iter(self.runner)
        return time.perf_counter() - start


CASES = {'train': Train, 'infer': Infer, 'pipeline': Pipeline, 'eval': Evaluation,
         'checkpoint': Checkpoint, 'predict': Predict, 'large': Large}
