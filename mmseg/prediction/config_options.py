"""Options of a prediction that change the config of its model: windows, views, precision."""
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

from .options import PredictOptions
from .pipeline import enable_aug_test, inference_steps, views_step

STRIDE = 2 / 3  # of a window, where nothing says how far it is to the next one


def apply_options(cfg: Config, options: PredictOptions) -> None:
    """Change the config as the options ask for; ConfigError for what it does not allow."""
    if options.tta:
        enable_aug_test(inference_steps(cfg), '--tta')
    if options.scale is not None:
        step = views_step(inference_steps(cfg), '--scale')
        ratios = step['img_ratios'] if options.tta else [1.0]
        step.update(img_scale=None, img_ratios=[options.scale * ratio for ratio in ratios])
    if options.slide or options.crop is not None or options.stride is not None:
        _use_windows(cfg, options)
    if options.amp and all(cfg.get(key) in (None, False) for key in ('fp16', 'bf16')):
        cfg.fp16 = dict(opt_level='O1')


def _use_windows(cfg: Config, options: PredictOptions) -> None:
    """Set windows of `options`, else those that `test_cfg` has, else the crops of the training."""
    place = cfg.model if cfg.model.get('test_cfg') is not None else cfg
    settings = dict(place.get('test_cfg') or {})
    crop = _pair(options.crop) or settings.get('crop_size') or _trained_size(cfg)
    if crop is None:
        raise ConfigError('--slide: neither test_cfg nor a RandomCrop of the training says how '
                          'large windows are: give --crop HEIGHT WIDTH')
    kept = settings.get('stride') if options.crop is None else None
    stride = _pair(options.stride) or kept or tuple(
        max(1, int(STRIDE * length)) for length in crop)
    place.test_cfg = {**settings, 'mode': 'slide', 'crop_size': tuple(crop),
                      'stride': tuple(stride)}


def _pair(numbers: Sequence[int] | None) -> tuple[int, int] | None:
    return None if numbers is None else (numbers[0], numbers[-1])


def _trained_size(cfg: Config) -> tuple[int, int] | None:
    """Height and width of the crops that the model was trained on."""
    train = (cfg.get('data') or {}).get('train')
    sizes = (step.get('crop_size') for step in _steps(train) if step.get('type') == 'RandomCrop')
    size = next(sizes, None)
    return (size, size) if isinstance(size, int) else size


def _steps(value: Any) -> Iterator[Mapping[str, Any]]:
    """All dicts in a config of data sets, among which are the steps of their pipelines."""
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _steps(each)
