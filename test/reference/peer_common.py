"""What both generations of the peer share."""
import contextlib
import random
import sys
import time

import numpy as np
import torch
from torch.nn.modules.dropout import _DropoutNd

CHECKED = 4


def load_batch(file, device):
    with np.load(file) as arrays:
        return (torch.from_numpy(arrays['img']).to(device),
                torch.from_numpy(arrays['label']).long().to(device))


def metas(img):
    shape = (*img.shape[2:], 3)
    return [{'ori_shape': shape, 'img_shape': shape, 'pad_shape': shape, 'flip': False,
             'scale_factor': 1.0, 'filename': f'image {i}'} for i in range(len(img))]


@contextlib.contextmanager
def without_dropout(model):
    found = [module for module in model.modules() if isinstance(module, _DropoutNd)]
    shares = [module.p for module in found]
    for module in found:
        module.p = 0.0
    yield
    for module, share in zip(found, shares, strict=True):
        module.p = share


def seed(value):
    random.seed(value)
    np.random.seed(value)


class Computing:
    """Timing of a step in float32, which is what the peers compute in here."""

    def __init__(self, device, steps):
        self.device = device
        self.about = {**self.about, 'dtype': 'float32'}
        if torch.device(device).type not in ('cpu', 'cuda'):
            sys.exit(f'error: the peer is run on the CPU and CUDA alone, not on {device}: leave '
                     'out --peer-python')
        self.steps = steps

    def wait(self):
        if self.device != 'cpu':
            torch.accelerator.synchronize()

    def round(self):
        self.wait()
        start = time.perf_counter()
        for _ in range(self.steps):
            self.step()
        self.wait()
        return (time.perf_counter() - start) / self.steps

    def tensors(self, model, optimizer=None):
        """What lives from step to step, but for the batch."""
        yield from model.parameters()
        yield from model.buffers()
        for values in optimizer.state.values() if optimizer is not None else ():
            yield from (value for value in values.values() if isinstance(value, torch.Tensor))


class Maps:
    """Label maps to score; the predictions are int64, as the peer's models give them."""

    def __init__(self, maps, classes):
        with np.load(maps) as arrays:
            self.pred = list(arrays['pred'].astype(np.int64))
            self.label = list(arrays['label'])
        self.classes = classes

    def round(self):
        start = time.perf_counter()
        self.score()
        return (time.perf_counter() - start) / len(self.pred)

    def check(self):
        return {'IoU': np.nan_to_num(np.asarray(self.score()))}


def count_saved(file):
    """How many values a checkpoint keeps of the weights and of the momentum."""
    loaded = torch.load(file, weights_only=False)
    momentum = loaded['optimizer']['state'].values()
    return {'weights': np.array(sum(map(torch.numel, loaded['state_dict'].values()))),
            'momentum': np.array(sum(item['momentum_buffer'].numel() for item in momentum))}
