"""What all subjects are given: the same config, weights, images and labels, as files."""
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.utils import Config
from mmseg.models import build_segmentor

IGNORED = 255


def write_config(cfg: Config, folder: Path) -> str:
    """Write the config in one file that every reader of the dialect loads."""
    file = folder / 'config.py'
    cfg.model.pretrained = None
    cfg.dump(file)
    return str(file)


def write_weights(cfg: Config, folder: Path, calibrate: bool = False) -> str:
    """Draw the weights of the config's model.

    `calibrate`: give the norms the statistics of some images, as a trained model has them; without
    them its features grow from layer to layer.
    """
    torch.manual_seed(0)
    model = revert_sync_batchnorm(
        build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg')))
    model.init_weights()
    if calibrate:
        _measure_statistics(model)
    file = folder / 'weights.pth'
    torch.save(model.state_dict(), file)
    return str(file)


def _measure_statistics(model: nn.Module) -> None:
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    model.train()
    with torch.no_grad():
        model.forward_dummy(torch.randn(2, 3, 256, 256))
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value


def write_batch(folder: Path, images: int, size: tuple[int, int], classes: int) -> str:
    """Write img [N, 3, H, W] float32 and label [N, H, W] uint8 for `size` (height, width)."""
    rng = np.random.default_rng(0)
    img = rng.standard_normal((images, 3, *size), np.float32)
    label = np.stack([flat_labels(rng, size, classes) for _ in range(images)])
    file = folder / 'batch.npz'
    np.savez(file, img=img, label=label)
    return str(file)


def flat_labels(
    rng: np.random.Generator, size: tuple[int, int], classes: int, areas: int = 5
) -> np.ndarray:
    """A label map [H, W] uint8 as people draw them: a few flat areas with ignored borders."""
    cells = rng.integers(0, classes, (areas, areas)).astype(np.uint8)
    label = cv2.resize(cells, size[::-1], interpolation=cv2.INTER_NEAREST)
    edges = cv2.morphologyEx(label, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    label[edges] = IGNORED
    return label
