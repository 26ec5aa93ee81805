"""The test pipeline of a config for images that belong to no data set: files or arrays."""
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmcv_replace.image import bgr2gray
from mmcv_replace.image.io import STORED, path_of
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets.masks.label_settings import all_steps
from mmseg.datasets.pipeline_options import set_plan
from mmseg.datasets.pipelines import Compose, LoadImageFromFile
from mmseg.datasets.pipelines.base import Results, Step
from mmseg.datasets.pipelines.channel_check import channel_clashes
from mmseg.datasets.pipelines.loading import FileLoader, describe_image, image_loader

# Scales of test-time augmentation.
TTA_RATIOS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


class LoadImage:
    """Loading step of inference, where `results['img']` is a file name or an array.

    A file is loaded by `loader`, the loading step of the config; an array replaces its result.
    Raises ArgumentError for another kind of image, and DataError for an array that does not fit.
    """

    def __init__(self, loader: Step | None = None) -> None:
        self.loader = LoadImageFromFile() if loader is None else loader
        if isinstance(self.loader, FileLoader):
            self.loader.of_data_set = False

    def __call__(self, results: Results) -> Results | None:
        image = results.pop('img')
        if not isinstance(image, np.ndarray):
            results.update(img_info=dict(filename=path_of(image)), img_prefix='')
            return self.loader(results)
        told = describe_image
        if isinstance(self.loader, LoadImageFromFile):
            image, told = _as_loaded(image, self.loader), self.loader.describe
        results.update(filename=None, ori_filename=None, **told(image))
        return results

    def load(self, image: str | os.PathLike | np.ndarray) -> np.ndarray:
        """The image [H, W] or [H, W, C] that this step returns for a file name or an array."""
        return self(dict(img=image))['img']


def build_inference_pipeline(cfg: Mapping[str, Any]) -> Compose:
    """The pipeline of `inference_steps`, with `LoadImage` in place of its loading step.

    Raises ConfigError if there is none, or its steps do not fit each other.
    """
    pipeline = Compose(inference_steps(cfg))
    clashes = list(channel_clashes(list(all_steps(pipeline)), 'the test pipeline'))
    if clashes:
        raise ConfigError('\n'.join(clashes))
    place = image_loader(pipeline.transforms)
    pipeline.transforms[place] = LoadImage(pipeline.transforms[place])
    set_plan(pipeline, (cfg.get('data') or {}).get('plan_pipeline') is not False)
    return pipeline


def inference_steps(cfg: Mapping[str, Any]) -> Sequence:
    """The steps of `data.test` in a config, else `test_pipeline`, else the steps of `data.val`.

    Raises ConfigError if there is none of these.
    """
    data = cfg.get('data') or {}
    steps = (_pipeline_of(data.get('test')) or cfg.get('test_pipeline')
             or _pipeline_of(data.get('val')))
    if not steps:
        raise ConfigError('the config of the model has no pipeline for images: give it '
                          'data.test.pipeline or test_pipeline')
    return steps


def enable_aug_test(steps: Sequence, option: str = '--aug-test') -> None:
    """Have the steps give six scales, each also mirrored.

    Raises ConfigError, which names the `option`, without a MultiScaleFlipAug step.
    """
    step = views_step(steps, option)
    step['img_ratios'] = list(TTA_RATIOS)
    step['flip'] = True


def views_step(steps: Sequence, option: str) -> dict[str, Any]:
    """The MultiScaleFlipAug among the steps of a config, which the `option` changes.

    Raises ConfigError, which names the option, where there is none.
    """
    for step in steps:
        if isinstance(step, Mapping) and step.get('type') == 'MultiScaleFlipAug':
            return step
    raise ConfigError(f'{option} changes the MultiScaleFlipAug step of data.test.pipeline, and '
                      'there is none')


def _pipeline_of(dataset: Any) -> Sequence | None:
    """The pipeline of a data set's config, or of the first data set in a list or a wrapper."""
    if isinstance(dataset, list | tuple):
        return _pipeline_of(dataset[0]) if dataset else None
    if not isinstance(dataset, Mapping):
        return None
    return dataset.get('pipeline') or _pipeline_of(
        dataset.get('datasets') or dataset.get('dataset'))


def _as_loaded(image: np.ndarray, loader: LoadImageFromFile) -> np.ndarray:
    """An array [H, W] or [H, W, C] in the form in which the loader returns files."""
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise DataError(f'an array {list(image.shape)} is no image: give [H, W] or [H, W, C]')
    if loader.color_type not in STORED:
        image = _with_colours(image, loader.color_type == 'grayscale')
    return loader.convert(image, 'the array')


def _with_colours(image: np.ndarray, grey: bool) -> np.ndarray:
    """An array in the form [H, W, 3], or [H, W] if `grey`, in which OpenCV decodes files."""
    wanted = f'color_type={"grayscale" if grey else "color"!r} of LoadImageFromFile'
    if image.dtype != np.uint8 and image.dtype.kind != 'f':
        raise DataError(f'the array holds {image.dtype}, but with {wanted} files become uint8: '
                        "bring it to 0 to 255, or train with in_channels set")
    if image.dtype.kind == 'f' and 0 < image.max() <= 1:
        warn_once('an array holds no number above 1, which is black where files hold 0 to 255: '
                  'multiply values of 0 to 1 by 255')
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in (1, 3, 4):
        raise DataError(f'the array has {channels} channels, but with {wanted} files have '
                        f"{1 if grey else 3}: choose them, or train with color_type='unchanged'")
    if channels == 1:
        image = image.reshape(image.shape[:2])
        return image if grey else np.repeat(image[..., None], 3, axis=2)
    colours = np.ascontiguousarray(image[..., :3])  # without transparency
    return bgr2gray(colours) if grey else colours
