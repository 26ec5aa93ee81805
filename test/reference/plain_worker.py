"""The plain forms that the benchmark compares with: what a user would write with torch and NumPy.

Run by mmseg/benchmark/harness.py, whose docstring says what a case has. PyTorch runs as it is
shipped, or with models and images in channels_last; nothing of this toolkit is imported.
"""
import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from plain_pipeline import load_for_testing, load_for_training
from plain_pspnet import PlainPSPNet, plain_loss

NAME = 'plain PyTorch'
CHECKED = 4  # samples that are compared


def load_model(network, weights, device, memory_format=torch.preserve_format):
    """The files hold the same tensors in the same order, under the toolkit's names."""
    model = PlainPSPNet(**network)
    values = torch.load(weights, weights_only=True).values()
    model.load_state_dict(dict(zip(model.state_dict(), values, strict=True)))
    return model.to(device, memory_format=memory_format)


def load_batch(file, device, memory_format=torch.preserve_format):
    with np.load(file) as arrays:
        return (torch.from_numpy(arrays['img']).to(device, memory_format=memory_format),
                torch.from_numpy(arrays['label']).long().to(device))


def about(dtype, channels_last):
    parts = [NAME, *(['channels_last'] if channels_last else []),
             *([dtype] if dtype != 'float32' else [])]
    return {'name': ', '.join(parts), 'dtype': dtype}


class Computing:
    """Device, number type, memory format and timing, shared by training and inference."""

    def __init__(self, device, dtype, steps, channels_last):
        self.device = device
        self.format = torch.channels_last if channels_last else torch.preserve_format
        self.about = about(dtype, channels_last)
        self.steps = steps
        self.autocast = contextlib.nullcontext
        if dtype != 'float32':
            kind = torch.device(device).type
            self.autocast = lambda: torch.autocast(kind, getattr(torch, dtype))

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


class Train(Computing):
    def __init__(self, config, batch, device, weights, dtype, steps, network, optimizer,
                 channels_last=False):
        super().__init__(device, dtype, steps, channels_last)
        self.model = load_model(network, weights, device, self.format).train()
        self.batch = load_batch(batch, device, self.format)
        options = dict(optimizer)
        kind = getattr(torch.optim, options.pop('type'), None)
        if kind is None:
            sys.exit(f"error: torch.optim has no {optimizer['type']}: set optimizer.type=SGD with "
                     '--cfg-options, or use --no-plain')
        self.optimizer = kind(self.model.parameters(), **options)
        self.scaler = torch.amp.GradScaler(torch.device(device).type, enabled=dtype == 'float16')

    def step(self):
        self.optimizer.zero_grad()
        with self.autocast():
            loss = plain_loss(self.model, *self.batch)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def check(self):
        dropout = self.model.dropout.p
        self.model.dropout.p = 0.0
        losses = [self.step().item() for _ in range(2)]
        self.model.dropout.p = dropout
        return {'loss': np.array(losses)}

    def state(self):
        yield from self.model.parameters()
        yield from self.model.buffers()
        yield from self.batch
        for values in self.optimizer.state.values():
            yield from (value for value in values.values() if isinstance(value, torch.Tensor))


class Infer(Computing):
    def __init__(self, config, batch, device, weights, dtype, steps, network, slide,
                 channels_last=False):
        super().__init__(device, dtype, steps, channels_last)
        self.model = load_model(network, weights, device, self.format).eval()
        self.img, _ = load_batch(batch, device, self.format)
        self.slide = slide

    @torch.inference_mode()
    def step(self):
        with self.autocast():
            logits = self.windows() if self.slide else self.model(self.img)
        return logits.argmax(1).cpu().numpy()

    def windows(self):
        """Mean logits of all windows over a pixel; those at the end are moved back into the image.
        """
        (high, wide), (down, across) = self.slide['crop_size'], self.slide['stride']
        height, width = self.img.shape[2:]
        total = self.img.new_zeros(len(self.img), self.model.classify.out_channels, height, width)
        count = self.img.new_zeros(height, width)
        for top in range(0, max(height - high + down - 1, 0) // down * down + 1, down):
            for left in range(0, max(width - wide + across - 1, 0) // across * across + 1, across):
                y, x = max(min(top, height - high), 0), max(min(left, width - wide), 0)
                rows, columns = slice(y, y + high), slice(x, x + wide)
                total[:, :, rows, columns] += self.model(self.img[:, :, rows, columns])
                count[rows, columns] += 1
        return total / count

    def check(self):
        return {'labels': self.step()}

    def state(self):
        yield from self.model.parameters()
        yield from self.model.buffers()
        yield self.img


class Pipeline:
    about = {'name': 'plain OpenCV and NumPy'}

    def __init__(self, config, testing, images, steps, files):
        cv2.setNumThreads(0)
        self.steps = {step['type']: step for step in steps}
        self.files = files
        self.testing = testing
        self.images = images
        self.rounds = 0

    def load(self, index):
        image, mask = self.files[index % len(self.files)]
        return (load_for_testing(image, self.steps) if self.testing
                else load_for_training(image, mask, self.steps))

    def check(self):
        found = {}
        for index in range(min(CHECKED, len(self.files))):
            seed(index)
            for name, value in self.load(index).items():
                found[f'{name}/{index}'] = value.numpy()
        return found

    def round(self):
        seed(self.rounds)
        self.rounds += 1
        start = time.perf_counter()
        for index in range(self.images):
            self.load(index)
        return (time.perf_counter() - start) / self.images


def seed(value):
    random.seed(value)
    np.random.seed(value)


class Evaluation:
    """Predictions are int64, as argmax gives them."""

    about = {'name': 'plain NumPy'}

    def __init__(self, maps, classes):
        with np.load(maps) as arrays:
            self.pairs = list(zip(arrays['pred'].astype(np.int64), arrays['label'], strict=True))
        self.classes = classes

    def score(self):
        matrix = np.zeros((self.classes, self.classes), np.int64)
        for pred, label in self.pairs:
            valid = label != 255
            pairs = self.classes * label[valid].astype(np.int64) + pred[valid]
            matrix += np.bincount(pairs, minlength=matrix.size).reshape(matrix.shape)
        hit = np.diag(matrix)
        with np.errstate(invalid='ignore'):
            return hit / (matrix.sum(0) + matrix.sum(1) - hit)

    def check(self):
        return {'IoU': np.nan_to_num(self.score())}

    def round(self):
        start = time.perf_counter()
        self.score()
        return (time.perf_counter() - start) / len(self.pairs)


class Startup:
    about = {'name': NAME}

    def __init__(self, config, network):
        code = (f'import sys; sys.path[0] = {str(Path(__file__).parent)!r}\n'
                'from plain_pspnet import PlainPSPNet\n'
                f'model = PlainPSPNet(**{network!r})\n'
                'print(sum(value.numel() for value in model.state_dict().values()))')
        self.command = [sys.executable, '-c', code]

    def check(self):
        done = subprocess.run(self.command, check=True, stdout=subprocess.PIPE, text=True)
        return {'values': np.array(int(done.stdout))}

    def round(self):
        start = time.perf_counter()
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


class Checkpoint:
    """torch.save of weights and momentum, with nothing around it."""

    about = {'name': 'torch.save'}

    def __init__(self, config, weights, batch, device, folder, network, optimizer):
        options = {key: value for key, value in optimizer.items() if key != 'type'}
        self.model = load_model(network, weights, device).train()
        self.optimizer = getattr(torch.optim, optimizer['type'])(
            self.model.parameters(), **options)
        plain_loss(self.model, *load_batch(batch, device)).backward()
        self.optimizer.step()
        self.file = Path(folder, 'plain.pth')

    def save(self):
        torch.save({'state_dict': self.model.state_dict(),
                    'optimizer': self.optimizer.state_dict()}, self.file)

    def check(self):
        self.save()
        loaded = torch.load(self.file, weights_only=True)
        momentum = loaded['optimizer']['state'].values()
        return {'weights': np.array(sum(map(torch.numel, loaded['state_dict'].values()))),
                'momentum': np.array(sum(item['momentum_buffer'].numel() for item in momentum))}

    def round(self):
        start = time.perf_counter()
        self.save()
        return time.perf_counter() - start


CASES = {'train': Train, 'infer': Infer, 'pipeline': Pipeline, 'eval': Evaluation,
         'startup': Startup, 'checkpoint': Checkpoint}
