"""Words of a command line at the place of others: images for the model, weights among images."""
from collections.abc import Sequence

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.own.image_files import SUFFIXES
from mmseg.prediction.video import VIDEOS

from .predictor import WEIGHTS

USAGE = 'predict.py CHECKPOINT IMAGES... --out DIR'


def check_words(name: str, images: Sequence[str]) -> None:
    """Raise ConfigError where `name` is no model but an image, or a checkpoint is among `images`.

    `name` is that of `find_predictor`, `images` are those of `find_sources`.
    """
    if name.lower().endswith((*SUFFIXES, *VIDEOS)):
        raise ConfigError(f'{name} is an image or a video, and stands where the checkpoint '
                          f'belongs: {USAGE}')
    weights = next((word for word in images if word.lower().endswith(WEIGHTS)), None)
    if weights is None:
        return
    if not name.lower().endswith(WEIGHTS):
        raise ConfigError(f'{weights} stands among the images: give the weights for {name} by '
                          f'--checkpoint {weights}')
    raise ConfigError(f'{weights} is a checkpoint, and stands among the images; {name} stands '
                      f'where it belongs: {USAGE}, once for each checkpoint')
