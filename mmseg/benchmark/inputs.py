"""The files that all subjects read: one config, its weights, a batch of images and labels."""
from pathlib import Path

import cv2
import numpy as np
import torch

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.runner.norm_statistics import estimate_statistics
from mmcv_replace.utils import Config
from mmseg.models import build_segmentor

IGNORED = 255


def write_config(cfg: Config, folder: Path) -> str:
    """Write the config, its bases included, to one file; returns its path."""
    file = folder / 'config.py'
    cfg.dump(file)
    return str(file)


def write_weights(cfg: Config, folder: Path, calibrate: bool = False) -> str:
    """Initialise the config's model and write its state dict; returns the file's path.

    `calibrate`: set the running statistics of the norms to those of random images. With their
    initial values the features would grow from layer to layer, unlike those of a trained model.
    """
    torch.manual_seed(0)
    model = revert_sync_batchnorm(
        build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg')))
    model.init_weights()
    if calibrate:
        images = torch.randn(2, channels_of(cfg), 256, 256)
        model.load_state_dict(estimate_statistics(model, [images], model.forward_dummy),
                              strict=False)
    file = folder / 'weights.pth'
    torch.save(model.state_dict(), file)
    return str(file)


def write_batch(folder: Path, images: int, size: tuple[int, int], classes: int,
                channels: int = 3) -> str:
    """Write img [N, channels, H, W] float32 and label [N, H, W] uint8; `size`: (height, width)."""
    rng = np.random.default_rng(0)
    img = rng.standard_normal((images, channels, *size), np.float32)
    label = np.stack([flat_labels(rng, size, classes) for _ in range(images)])
    file = folder / 'batch.npz'
    np.savez(file, img=img, label=label)
    return str(file)


def classes_of(cfg: Config) -> int:
    """Number of classes that the config's model predicts: that of its head, or of the last."""
    head = cfg.model.decode_head
    return (head[-1] if isinstance(head, list) else head).num_classes


def channels_of(cfg: Config) -> int:
    """Number of channels of the images that the config's model takes."""
    return cfg.model.backbone.get('in_channels', 3)


def flat_labels(rng: np.random.Generator, size: tuple[int, int], classes: int) -> np.ndarray:
    """A label map [H, W] uint8 like drawn ones: a few flat areas with ignored borders."""
    cells = rng.integers(0, classes, (5, 5)).astype(np.uint8)
    label = cv2.resize(cells, size[::-1], interpolation=cv2.INTER_NEAREST)
    edges = cv2.morphologyEx(label, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    label[edges] = IGNORED
    return label
