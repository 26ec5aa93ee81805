"""The check that loading, normalisation and model agree about the number of channels."""
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.utils.checks.type_check import is_annotated
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import inner_datasets
from mmseg.utils.input_channels import COLOURS

from ..masks.label_settings import all_steps
from .base import Step
from .compose import own_pipeline
from .cutout import RandomCutOut
from .distortion import PhotoMetricDistortion
from .geometric import Pad, RandomRotate
from .loading import LoadImageFromFile
from .mosaic import RandomMosaic
from .normalize import Normalize
from .photometric import RGB2Gray

# Steps of other packages may change the number of channels.
FOREIGN = ('Albu', 'TorchvisionTransform')
# Steps with a value for each channel, and the setting that holds them.
FILLS = {Pad: 'pad_val', RandomRotate: 'pad_val', RandomMosaic: 'pad_val', RandomCutOut: 'fill_in'}
STATISTICS = 'python tools/check_dataset.py CONFIG --statistics'


def check_channels_agree(model: nn.Module, datasets: Mapping[str, Dataset]) -> None:
    """Raise ConfigError where a pipeline gives images that its own steps or the model do not take.

    `datasets`: by the name of their split. What user code makes of an image is not known, and not
    checked.
    """
    wanted = getattr(getattr(model, 'backbone', None), 'in_channels', None)
    clashes = [clash for split, dataset in datasets.items() for steps in _sequences(dataset)
               for clash in channel_clashes(steps, f'data.{split}', wanted)]
    if clashes:
        raise ConfigError('\n'.join(dict.fromkeys(clashes)))


def _sequences(dataset: Dataset, later: Sequence[Step] = ()) -> Iterator[list[Step]]:
    """The steps of each way that samples take: those of a data set, then those of its wrappers."""
    pipeline, parts = own_pipeline(dataset), inner_datasets(dataset)
    steps = [*(() if pipeline is None else all_steps(pipeline)), *later]
    if parts and not is_annotated(type(dataset)):
        steps.insert(0, dataset)  # a wrapper of a user is a step of which nothing is known
    for part in parts:
        yield from _sequences(part, steps)
    if not parts:
        yield steps


def channel_clashes(steps: Sequence[Step], place: str, wanted: int | None = None) -> Iterator[str]:
    """What does not fit among the steps of a pipeline, and to a model of `wanted` channels."""
    channels, red_first = None, False
    for step in steps:
        if isinstance(step, LoadImageFromFile):
            red_first = step.color_type == BANDS
            channels = COLOURS.get(step.color_type, step.channels)
        elif isinstance(step, RGB2Gray):
            channels = step.out_channels or len(step.weights)
        elif isinstance(step, Normalize):
            yield from _normalize_clashes(step, place, channels, red_first)
        elif isinstance(step, PhotoMetricDistortion) and channels not in (None, 3):
            yield (f'PhotoMetricDistortion in {place} changes red, green and blue, but the images '
                   f'have {_number(channels)}: leave it out of the pipeline')
        elif isinstance(step, tuple(FILLS)):
            yield from _fill_clashes(step, place, channels)
        elif type(step).__name__ in FOREIGN or not is_annotated(type(step)):
            channels = None
    if isinstance(wanted, int) and channels not in (None, wanted):
        yield (f'the images of {place} have {_number(channels)}, but model.backbone.in_channels='
               f'{wanted}: set in_channels, the number of bands of the files, at the top of the '
               'config, which model and loading follow')


def _normalize_clashes(step: Normalize, place: str, channels: int | None,
                       red_first: bool) -> Iterator[str]:
    given = len(step.mean)
    if channels is not None and given not in (1, channels):
        remedy = (f'give img_norm_cfg a value for each, and to_rgb=False; {STATISTICS} computes '
                  'them' if red_first else f'give as many, or, for files of {given} bands, set '
                  f'in_channels={given} at the top of the config')
        yield (f'Normalize in {place} has {given} values in mean and std, but the images have '
               f'{_number(channels)}: {remedy}')
    elif red_first and step.to_rgb:
        yield (f'Normalize in {place} has to_rgb=True, but with in_channels the bands keep the '
               'order of the file, in which red comes first: set to_rgb=False')


def _fill_clashes(step: Step, place: str, channels: int | None) -> Iterator[str]:
    name = next(name for kind, name in FILLS.items() if isinstance(step, kind))
    value = getattr(step, name)
    given = len(value) if isinstance(value, list | tuple) else 1
    # A rotation leaves out the last of too many; equal ones are one for the two by `fill_values`.
    fits = given > (channels or 0) if isinstance(step, RandomRotate) else (
        isinstance(step, RandomMosaic | RandomCutOut) and len(set(np.ravel(value))) == 1)
    if channels is None or given in (1, channels) or fits:
        return
    yield (f'{type(step).__name__} in {place} has {given} values in {name}, but the images have '
           f'{_number(channels)}: give a number, or one for each')


def _number(channels: int) -> str:
    return f'{channels} channel{"s" * (channels > 1)}'
