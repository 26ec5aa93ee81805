"""`large`: from the file of a large image to its label map, by windows at the image's own size."""
import argparse
import logging
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from mmcv_replace.device import resolve_device
from mmcv_replace.utils import Config
from mmseg.apis.cli import load_config
from mmseg.apis.predict.job import find_images, predict_sources
from mmseg.apis.predict.predictor import load_predictor
from mmseg.datasets.masks.annotation import decode_label
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.pipeline import inference_steps

from .inputs import classes_of, write_config, write_weights
from .predict import write_checkpoint
from .section import Section
from .steps import prepared_config

TILE = 256


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """One image of --size by windows of --crop every --stride."""
    cfg = prepared_config(args)
    device = resolve_device(args.device)
    cfg.pop('test_cfg', None)
    cfg.model.test_cfg = dict(mode='slide', crop_size=tuple(args.crop), stride=tuple(args.stride))
    _show_own_size(cfg)
    return [Section(
        title=f'prediction of a file of {args.size[0]} x {args.size[1]} by windows of '
              f'{args.crop[0]} x {args.crop[1]} every {args.stride[0]} x {args.stride[1]}, '
              f'{Path(args.config).stem} on {device}; this toolkit also writes the mask',
        case='large',
        options={'config': write_config(cfg, folder), 'device': str(device),
                 'checkpoint': write_checkpoint(write_weights(cfg, folder, True), cfg.pretty_text,
                                                classes_of(cfg), folder),
                 'file': write_image(folder, tuple(args.size))})]


def _show_own_size(cfg: Config) -> None:
    """Have the test pipeline show images in their own size."""
    for step in inference_steps(cfg):
        if step['type'] == 'MultiScaleFlipAug':
            step.update(img_scale=None, img_ratios=[1.0], flip=False)


def write_image(folder: Path, size: tuple[int, int]) -> str:
    """Write a TIFF in tiles of smooth colours and noise; where tifffile is absent, a PNG."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (size[0] // 64 + 2, size[1] // 64 + 2, 3), np.uint8)
    img = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)
    img = cv2.add(img, rng.integers(0, 16, img.shape, np.uint8))
    try:
        import tifffile
    except ImportError:
        file = folder / 'large.png'
        cv2.imwrite(str(file), img)
    else:
        file = folder / 'large.tif'
        tifffile.imwrite(file, img[..., ::-1], tile=(TILE, TILE), photometric='rgb')
    return str(file)


class LargeCase:
    """The toolkit's prediction of the file in parts."""

    def __init__(self, config: str, device: str, checkpoint: str, file: str) -> None:
        logging.getLogger('mmseg').setLevel(logging.WARNING)
        self._model = load_predictor(load_config(config), checkpoint, device)
        self._file = file
        self.about = {'dtype': 'float32'}

    def check(self) -> dict[str, np.ndarray]:
        """The label map."""
        with tempfile.TemporaryDirectory(prefix='large-') as folder:
            self._predict(folder)
            mask, = Path(folder, 'masks').iterdir()
            return {'labels': decode_label(mask.read_bytes(), mask.name)}

    def round(self) -> float:
        """Seconds for the image."""
        with tempfile.TemporaryDirectory(prefix='large-') as folder:
            start = time.perf_counter()
            self._predict(folder)
            return time.perf_counter() - start

    def _predict(self, folder: str) -> None:
        options = PredictOptions(out=folder, overlays=False, max_pixels=1)
        sources = find_images(self._model.module.cfg, [self._file], folder)
        failures = predict_sources(self._model, sources, options)
        assert not failures.found, failures.found

