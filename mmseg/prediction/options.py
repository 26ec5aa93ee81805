"""What a prediction of images writes, and how it predicts."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import ScoreKind
from mmseg.datasets.pipelines.resize import RATIOS

from .video import CODECS


@dataclass(frozen=True)
class PredictOptions:
    """Options of a prediction; ConfigError for values that do not fit."""

    out: str  # folder for everything
    masks: bool = True  # label maps, as PNGs with the palette
    overlays: bool = True  # label maps painted over the images, and videos
    frame_masks: bool = False  # masks of the frames of videos, too
    opacity: float = 0.5  # of the classes' colours in overlays, in (0, 1]
    legend: bool = False  # names and colours of the classes beside each overlay
    bands: Sequence[int] | None = None  # those shown as red, green, blue, or one in grey
    video_format: str = 'webm'
    scores: ScoreKind | None = None  # to be written, too
    threshold: float | None = None  # pixels of a lower confidence become the ignored value
    batch: int | None = None  # images of one shape that are predicted together
    skip_existing: bool = False  # leave out what an earlier run has completed
    max_pixels: int = 40_000_000  # an image of more is read and predicted in parts
    tta: bool = False  # scales 0.5 to 1.75, each with its mirror image
    slide: bool = False  # by windows
    crop: Sequence[int] | None = None  # height and width of a window, or one number
    stride: Sequence[int] | None = None  # from one window to the next, likewise
    scale: float | None = None  # of images before prediction, in place of the config's sizes
    amp: bool = False  # mixed precision

    def __post_init__(self) -> None:
        if not 0 < self.opacity <= 1:
            raise ConfigError(f'--opacity {self.opacity} must be above 0 and at most 1')
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f'--threshold {self.threshold} is a probability, from 0 to 1')
        if self.scores not in (None, *get_args(ScoreKind)):
            raise ConfigError(f'--scores {self.scores}: choose one of '
                              f'{", ".join(get_args(ScoreKind))}')
        if self.legend and not self.overlays:
            raise ConfigError('--legend is a part of painted pictures: leave out --no-overlays')
        if self.video_format not in CODECS:
            raise ConfigError(f'--video-format {self.video_format}: choose one of '
                              f'{", ".join(CODECS)}')
        least, most = RATIOS
        if self.scale is not None and not least <= self.scale <= most:
            raise ConfigError(f'--scale {self.scale} must be from {least} to {most}: 1 keeps the '
                              'size of images')
        for name, value in (('batch', self.batch), ('max-pixels', self.max_pixels)):
            if value is not None and value < 1:
                raise ConfigError(f'--{name} {value} must be at least 1')
        for name, value in (('crop', self.crop), ('stride', self.stride)):
            if value is not None and (len(value) > 2 or min(value) < 1):
                raise ConfigError(f'--{name} {" ".join(map(str, value))}: give height and width in '
                                  'pixels, or one number for both')

    @property
    def needed_scores(self) -> ScoreKind | None:
        """The scores that the predictions have to carry."""
        return self.scores or (None if self.threshold is None else 'confidence')
