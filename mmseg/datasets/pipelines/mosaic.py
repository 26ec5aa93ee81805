"""Join the images of several samples."""
from collections.abc import Sequence, Sized

import numpy as np

from mmcv_replace.image import imresize
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results
from .checks import check_fill, check_numbers, check_size, fill_values
from .draws import tell
from .ignored import UNSET, LabelFiller, room_for

OTHERS = 3


@PIPELINES.register_module()
class RandomMosaic(LabelFiller):
    """With probability `prob`, join the sample and three others around a point.

    Each is resized so that it fits into `img_scale` (height, width), keeping its ratio; the result
    has twice that size. The point, in units of `img_scale`, is drawn from `center_ratio_range`,
    x before y. The sample touches it with its lower right corner, the others, from top right over
    bottom left to bottom right, with the opposite corners; what lies beyond the result is cut off.
    The rest is filled with `pad_val`, and in label maps with `seg_pad_val`, the dataset's
    `ignore_index` by default.

    The other samples are `mix_results`, which a MultiImageMixDataset provides.
    Source: YOLOv4, arXiv:2004.10934.
    """

    def __init__(self, prob: float, img_scale: tuple[int, int] = (640, 640),
                 center_ratio_range: tuple[float, float] = (0.5, 1.5),
                 pad_val: float | Sequence[float] = 0, seg_pad_val: int | None = UNSET) -> None:
        check_numbers('RandomMosaic', 'prob', prob, least=0, most=1)
        check_size('RandomMosaic', 'img_scale', img_scale)
        check_numbers('RandomMosaic', 'center_ratio_range', center_ratio_range, 2, 0, 2)
        check_fill('RandomMosaic', 'pad_val', pad_val)
        self.prob = prob
        self.img_scale = tuple(img_scale)
        self.center_ratio_range = tuple(center_ratio_range)
        self.pad_val = pad_val
        self._set_fill(seg_pad_val)

    def get_indexes(self, dataset: Sized) -> list[int]:
        """Draw the other samples of a data set."""
        return [np.random.randint(len(dataset)) for _ in range(OTHERS)]

    def __call__(self, results: Results) -> Results:
        """Join the samples; ConfigError where there are no others, or of another kind."""
        if not np.random.rand() < self.prob:
            tell(joined='no')
            return results
        parts = [results, *(results.get('mix_results') or ())]
        if len(parts) != OTHERS + 1:
            raise ConfigError(f'RandomMosaic needs {OTHERS} other samples: put it into the '
                              'pipeline of a MultiImageMixDataset, whose dataset gives them')
        self._check_alike(parts)
        low, high = self.center_ratio_range
        across, down = (int(np.random.uniform(low, high) * edge) for edge in self.img_scale[::-1])
        tell(joined='yes', center=f'x {across}, y {down}')
        fill = self.label_fill(results)
        value = fill_values('RandomMosaic', 'pad_val', self.pad_val, results['img'])
        results['img'] = self._join([part['img'] for part in parts], (down, across), value,
                                    'bilinear')
        for key in results.get('seg_fields', ()):
            results[key] = self._join([room_for(part[key], fill) for part in parts],
                                      (down, across), fill, 'nearest')
        results['img_shape'] = results['pad_shape'] = results['img'].shape
        return results

    def _check_alike(self, parts: list[Results]) -> None:
        for part in parts[1:]:
            missing = [key for key in parts[0].get('seg_fields', ()) if key not in part]
            if missing:
                raise ConfigError(f'RandomMosaic: {part.get("filename", "a sample")} has no '
                                  f'{missing[0]}, but the sample that it is joined to does')
        kinds = [(part['img'].dtype, part['img'].shape[2:]) for part in parts]
        if any(kind != kinds[0] for kind in kinds):
            names = ', '.join(f'{part.get("filename", "a sample")} has {part["img"].dtype} '
                              f'{list(part["img"].shape)}' for part in parts)
            raise ConfigError(f'RandomMosaic joins images of one type and number of channels: '
                              f"{names}; color_type='color' of LoadImageFromFile makes them alike")

    def _join(self, parts: list[np.ndarray], center: tuple[int, int],
              fill: int | np.ndarray, interpolation: str) -> np.ndarray:
        """The mosaic of images or of label maps around a `center` (row, column)."""
        height, width = (2 * edge for edge in self.img_scale)
        dtype = np.result_type(*parts)
        joined = np.empty((height, width, *parts[0].shape[2:]), dtype)
        joined[:] = fill
        for number, part in enumerate(parts):
            part = imresize(part, self._fit(part), interpolation=interpolation)
            top = center[0] - len(part) * (number < 2)
            left = center[1] - part.shape[1] * (number % 2 == 0)
            rows, columns = slice(max(top, 0), top + len(part)), slice(
                max(left, 0), left + part.shape[1])
            shown = joined[rows, columns]
            shown[:] = part.reshape(*part.shape[:2], *joined.shape[2:])[
                max(-top, 0):, max(-left, 0):][:shown.shape[0], :shown.shape[1]]
        return joined

    def _fit(self, part: np.ndarray) -> tuple[int, int]:
        """The (width, height) of a part."""
        height, width = part.shape[:2]
        factor = min(self.img_scale[0] / height, self.img_scale[1] / width)
        return max(int(width * factor), 1), max(int(height * factor), 1)
