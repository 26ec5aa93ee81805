"""`pipeline`: files to samples, in one process."""
import argparse
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmcv_replace.host import keep_freed_memory
from mmcv_replace.parallel import collate, scatter
from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.cli import load_config
from mmseg.datasets import build_dataset
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.datasets.synthetic import SplitSizes, make_devkit

from .frames import FRAMES, frame_dataset, write_frames
from .inputs import write_config
from .section import Section
from .steps import prepared_config

CHECKED = 4  # samples that are compared
SYNTHETIC = SplitSizes(train=12, val=12, aug=0)
VOC_SIZE = 500  # longer side of VOC's images


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """Samples of --case from the files of --data-root, or from synthetic ones."""
    cfg = prepared_config(args)
    root = data_root(args.data_root, folder)
    if args.case in FRAMES:
        frames = FRAMES[args.case]
        write_frames(root, folder / 'frames', args.images, frames)
        dataset = frame_dataset(folder / 'frames', frames, cfg.data.train.pipeline)
    else:
        part, split = ('train', 'train') if args.case == 'voc-train' else ('test', 'val')
        dataset = dict(type='PascalVOCDataset', data_root=str(root), img_dir='JPEGImages',
                       ann_dir='SegmentationClass', split=f'ImageSets/Segmentation/{split}.txt',
                       pipeline=cfg.data[part].pipeline)
    testing = args.case == 'voc-test'
    if testing and args.uint8:
        raise ConfigError('--uint8 is for the training pipelines: images are tested as floats; '
                          'leave it out, or choose another --case')
    if testing and args.disk_cache:
        raise ConfigError('--disk-cache is for the training pipelines: each image is tested once; '
                          'leave it out, or choose another --case')
    cfg.data = ConfigDict({**cfg.data, 'train': dataset, 'val': dataset, 'test': dataset})
    images, masks = (Path(dataset['data_root'], dataset[key]) for key in ('img_dir', 'ann_dir'))
    files = [[str(images / info['filename']), str(masks / info['ann']['seg_map'])] for info in
             build_dataset(cfg.data.train, dict(test_mode=testing)).img_infos]
    source = 'real' if args.data_root is not None else 'synthetic'
    return [Section(
        title=f'pipeline {args.case}: {args.images} {source} images, one process',
        case='pipeline', options={'config': write_config(cfg, folder), 'testing': testing,
                                  'images': args.images},
        own={'decoder': args.imdecode_backend}, variants=_variants(args, folder),
        plain={'steps': list(dataset['pipeline']), 'files': files} if args.plain else None,
        threads=1)]


def _variants(args: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Further rows of this toolkit, and their options."""
    found: dict[str, dict[str, Any]] = {}
    if args.uint8:
        found['handing over uint8'] = {'on_device': True}
    if args.disk_cache:
        found['first pass of a disk cache'] = {'cache': str(folder / 'first'), 'empty': True}
        found['second pass'] = {'cache': str(folder / 'second')}
        if args.uint8:
            found['second pass, uint8'] = {'cache': str(folder / 'second'), 'on_device': True}
    return found


def data_root(data_root: str | None, folder: Path) -> Path:
    """The folder in VOC layout that was named, or a synthetic one in `folder`."""
    if data_root is None:
        make_devkit(folder / 'devkit', SYNTHETIC, VOC_SIZE)
        return folder / 'devkit' / 'VOC2012'
    if not Path(data_root, 'JPEGImages').is_dir():
        raise DataError(f'--data-root {data_root}: there is no folder JPEGImages in it; name the '
                        'VOC2012 folder, or leave the option out for synthetic images')
    return Path(data_root)


class PipelineCase:
    """The toolkit's data set, indexed as a worker of its loader does.

    `on_device`: its images are uint8 and would be normalised on the device. `cache`: folder of a
    `data.cache` on the disk, which a round finds `empty`, or full. `decoder`: the backend of its
    images, None for that of the config.
    """

    def __init__(self, config: str, testing: bool, images: int, on_device: bool = False,
                 cache: str | None = None, empty: bool = False, decoder: str | None = None,
                 ) -> None:
        cv2.setNumThreads(0)
        keep_freed_memory()
        cfg = load_config(config)
        for step in cfg.data.train.pipeline if decoder is not None else ():
            if step['type'] == 'LoadImageFromFile':
                step['imdecode_backend'] = decoder
        options = {**cfg.data, 'normalize_on_device': on_device}
        if cache is not None:
            options['cache'] = dict(level='disk', dir=cache)
        self._dataset = build_dataset(cfg.data.train, dict(test_mode=testing))
        set_pipeline_options(self._dataset, options, asynchronous=False)
        # A second round over the files would find them in the cache.
        self._images = min(images, len(self._dataset)) if empty else images
        self._emptied = Path(cache) if empty else None
        self._rounds = 0
        if cache is not None and not empty:
            for index in range(min(images, len(self._dataset))):
                self._dataset[index]

    def check(self) -> dict[str, np.ndarray]:
        """The first samples, each drawn with its own seed."""
        found = {}
        for index in range(min(CHECKED, len(self._dataset))):
            seed(index)
            batch = scatter(finish(collate([self._dataset[index]])), 'cpu')
            for name in ('img', 'gt_semantic_seg'):
                if name in batch:
                    views = batch[name] if isinstance(batch[name], list) else [batch[name]]
                    found[f'{name}/{index}'] = views[0][0].numpy()
        return found

    def round(self) -> float:
        """Seconds per image; all subjects draw the same random numbers."""
        seed(self._rounds)
        self._rounds += 1
        for part in () if self._emptied is None else self._emptied.iterdir():
            shutil.rmtree(part)
        start = time.perf_counter()
        for index in range(self._images):
            self._dataset[index % len(self._dataset)]
        return (time.perf_counter() - start) / self._images

    def timed_steps(self) -> list[Callable]:
        """The steps of the pipeline as they are run."""
        return self._dataset.pipeline._steps()


def seed(value: int) -> None:
    """Seed the generators that transforms draw from."""
    random.seed(value)
    np.random.seed(value)
