"""`predict`: from image files to label maps, as tools/predict.py does it, and writes them."""
import argparse
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from mmcv_replace.device import resolve_device
from mmseg.apis.cli import load_config
from mmseg.apis.inference import inference_segmentor
from mmseg.apis.predict.job import find_images, predict_sources
from mmseg.apis.predict.predictor import load_predictor
from mmseg.core.evaluation.class_names import get_classes
from mmseg.core.utils import voc_colormap
from mmseg.prediction.options import PredictOptions

from .inputs import classes_of, write_config, write_weights
from .pipeline import CHECKED, data_root
from .section import Section
from .steps import prepared_config


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """The images of the validation set of --data-root, or synthetic ones."""
    cfg = prepared_config(args)
    device = resolve_device(args.device)
    root = data_root(args.data_root, folder)
    names = (root / 'ImageSets/Segmentation/val.txt').read_text().split()[:args.images]
    source = 'real' if args.data_root is not None else 'synthetic'
    return [Section(
        title=f'prediction of files: {len(names)} {source} images, {Path(args.config).stem} on '
              f'{device}; this toolkit also writes masks and painted pictures',
        case='predict',
        options={'config': write_config(cfg, folder), 'device': str(device),
                 'checkpoint': write_checkpoint(write_weights(cfg, folder, True), cfg.pretty_text,
                                                 classes_of(cfg), folder),
                 'files': [str(root / 'JPEGImages' / f'{name}.jpg') for name in names]})]


def write_checkpoint(weights: str, config: str, classes: int, folder: Path) -> str:
    """Weights with what the peer's and this toolkit's functions look for in a checkpoint."""
    known = list(get_classes('voc'))
    names = known if len(known) == classes else list(map(str, range(classes)))
    file = folder / 'checkpoint.pth'
    torch.save(dict(meta=dict(config=config, CLASSES=names,
                              PALETTE=voc_colormap(classes).tolist()),
                    state_dict=torch.load(weights, weights_only=True)), file)
    return str(file)


class PredictCase:
    """The toolkit's prediction of files."""

    def __init__(self, config: str, device: str, checkpoint: str, files: list[str]) -> None:
        logging.getLogger('mmseg').setLevel(logging.WARNING)
        self._model = load_predictor(load_config(config), checkpoint, device)
        self._files = files
        self.about = {'dtype': 'float32'}

    def check(self) -> dict[str, np.ndarray]:
        """The label maps of the first images."""
        maps = inference_segmentor(self._model, self._files[:CHECKED])
        return {f'labels/{number}': seg_map.astype(np.int64)
                for number, seg_map in enumerate(maps)}

    def round(self) -> float:
        """Seconds per image."""
        with tempfile.TemporaryDirectory(prefix='predict-') as folder:
            options = PredictOptions(out=folder)
            start = time.perf_counter()
            sources = find_images(self._model.module.cfg, self._files, folder)
            failures = predict_sources(self._model, sources, options)
            seconds = time.perf_counter() - start
        assert not failures.found, failures.found
        return seconds / len(self._files)
