"""A data set of three classes and a model that copies its image: small enough to score by hand."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.parallel import DataContainer, MMDataParallel, collate
from mmcv_replace.runner import EpochBasedRunner, IterBasedRunner
from mmseg.core.evaluation import metrics_from_confusion, standard, summarize

EPOCH_LENGTH = 4
MEAN, STD = [120.0, 110.0, 100.0], [60.0, 50.0, 40.0]


class CopyingModel(nn.Module):
    """Predicts the class that the red channel of its normalised image says."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.modes = []
        self.shown = []

    def forward(self, img, img_metas, return_loss=True, rescale=False):
        assert not return_loss
        assert rescale
        self.modes.append((self.training, torch.is_grad_enabled()))
        red = (img[0][:, 0] * STD[0] + MEAN[0]).round().long() // 50
        return [one[:meta['img_shape'][0], :meta['img_shape'][1]].numpy()
                for one, meta in zip(red, img_metas[0], strict=True)]

    def train_step(self, data_batch, optimizer):
        loss = self.weight.sum()
        return dict(loss=loss, log_vars={'loss': loss.detach()}, num_samples=1)

    def show_result(self, img, result, palette=None, show=False, out_file=None, opacity=0.5):
        self.shown.append(dict(img=img, result=result, palette=palette, show=show,
                               out_file=out_file, opacity=opacity))


class TinyDataset(Dataset):
    """Images of different sizes whose red channel is 50 times the prediction."""

    CLASSES = ('sky', 'road', 'tree')
    PALETTE = [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    ignore_index = 255

    def __init__(self, length=7):
        rng = np.random.default_rng(0)
        shapes = [(4 + i % 3, 5 + i % 2) for i in range(length)]
        self.preds = [rng.integers(0, 3, shape) for shape in shapes]
        self.labels = [np.where(rng.random(pred.shape) < 0.7, pred, 1).astype(np.uint8)
                       for pred in self.preds]
        self.evaluated = []
        self.formatted = []

    def __len__(self):
        return len(self.preds)

    def get_original_image(self, index):
        """BGR uint8."""
        pred = self.preds[index]
        return np.stack([pred * 7, pred * 11, pred * 50], axis=-1).astype(np.uint8)

    def __getitem__(self, index):
        rgb = self.get_original_image(index)[..., ::-1].astype(np.float32)
        img = torch.from_numpy(((rgb - MEAN) / STD).transpose(2, 0, 1).astype(np.float32))
        height, width = self.preds[index].shape
        meta = dict(ori_filename=f'city/{index}.png', img_shape=(height, width, 3),
                    ori_shape=(height, width, 3),
                    img_norm_cfg=dict(mean=MEAN, std=STD, to_rgb=True))
        return dict(img=[DataContainer(img, stack=True)],
                    img_metas=[DataContainer(meta, cpu_only=True)])

    def get_gt_seg_map(self, index):
        return self.labels[index]

    @standard
    def evaluate(self, results, metric='mIoU', logger=None):
        self.evaluated.append((results, metric, logger))
        scores = metrics_from_confusion(results.matrix, metric)
        return summarize(scores) | {f'Acc.{name}': 0.0 for name in self.CLASSES}

    def format_results(self, results, out_dir, indices):
        self.formatted.append((results, out_dir, indices))


@pytest.fixture(scope='session')
def make_parts():
    """Makes a model and a data set, also in another process."""
    return lambda: (CopyingModel(), TinyDataset())


@pytest.fixture
def dataset():
    return TinyDataset()


@pytest.fixture
def make_loader(dataset):
    def make(batch_size=1, **kwargs):
        def join(samples):
            return collate(samples, samples_per_gpu=batch_size)
        return DataLoader(dataset, batch_size, collate_fn=join, **kwargs)
    return make


@pytest.fixture
def model():
    return MMDataParallel(CopyingModel())


@pytest.fixture
def train_loader():
    return DataLoader(torch.zeros(EPOCH_LENGTH))


@pytest.fixture
def make_runner(model, tmp_path):
    """An untrained runner with the given evaluation hook."""
    def make(hook, length=6, by_epoch=False, **kwargs):
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        kwargs = dict(work_dir=tmp_path, optimizer=optimizer) | kwargs
        if by_epoch:
            runner = EpochBasedRunner(model, max_epochs=length, **kwargs)
        else:
            runner = IterBasedRunner(model, max_iters=length, **kwargs)
        runner.register_hook(hook, 'LOW')
        return runner
    return make


@pytest.fixture
def scripted(dataset, monkeypatch):
    """Let the evaluations of the data set return these scores, one after the other."""
    def script(*scores):
        remaining = iter(scores)
        monkeypatch.setattr(dataset, 'evaluate',
                            lambda results, **kwargs: dict(next(remaining)))
    return script
