"""The prediction of one image, for programs and notebooks."""
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from mmcv_replace.image import imwrite
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation import Prediction, WriteOverlays
from mmseg.core.utils import write_deep_png, write_palette_png

from .classes import class_names, count_classes, shares_by_name

SHOWN = 4  # classes in the text of a segmentation


class Segmentation:
    """What a model predicts for an image.

    seg_map: [H, W] class indices, in the size of the image. scores: float32, if asked for:
    'probabilities' [C, H, W] or 'confidence' [H, W]. names: of the classes; None if they have none.
    palette: [C, 3] RGB colours. path: of the image; None for an array. In a notebook it shows
    itself, painted over the image.
    """

    def __init__(self, prediction: Prediction, model: nn.Module, palette: np.ndarray) -> None:
        self.seg_map = prediction.seg_map
        self.scores = prediction.scores
        self.names: Sequence[str] | None = getattr(model, 'CLASSES', None)
        self.palette = palette
        self.path = prediction.path
        self._prediction, self._model = prediction, model

    @property
    def shares(self) -> dict[str, float]:
        """The share of each class that has pixels, by its name, or by its number without names."""
        counts, _ = count_classes(self.seg_map)
        number = max(len(counts), len(self.names or ()))
        return shares_by_name(counts, class_names(self.names, number), self.seg_map.size)

    def overlay(self, opacity: float = 0.5, legend: bool = False,
                bands: Sequence[int] | None = None, out_file: str | Path | None = None
                ) -> np.ndarray:
        """The classes painted over the image: BGR [H, W, 3] uint8; also written to `out_file`.

        opacity: of the colours, in (0, 1]. `legend` lists the classes beside the picture. bands:
        of an image of several those shown as red, green and blue, or one in grey. The image is read
        again. Raises DataError for an `out_file` whose format holds no colours.
        """
        paint = WriteOverlays(self._model, opacity=opacity, legend=legend, palette=self.palette,
                              bands=bands)
        picture = paint.draw(self._prediction)
        if out_file is not None and not imwrite(picture, out_file):
            raise DataError(f'{out_file}: files of this kind hold no coloured picture: use a '
                            'suffix such as .png or .jpg')
        return picture

    def save(self, path: str | Path) -> None:
        """Write the label map as a PNG with the palette, above 256 values grey of 16 bits.

        Raises DataError for another suffix, and where the file cannot be written.
        """
        if Path(path).suffix.lower() != '.png':
            raise DataError(f'{path}: a label map is written as .png, which keeps its values; '
                            'overlay(out_file=...) writes the painted image')
        if self.seg_map.dtype == np.uint8:
            write_palette_png(path, self.seg_map, self.palette)
        else:
            write_deep_png(path, self.seg_map)

    def show(self, opacity: float = 0.5, legend: bool = True) -> None:
        """Show the painted image: below the cell of a notebook, else by the system's viewer.

        Raises ConfigError where there is neither.
        """
        png = self._png(opacity, legend)
        ipython = getattr(sys.modules.get('IPython'), 'get_ipython', lambda: None)()
        if hasattr(ipython, 'kernel'):
            from IPython.display import Image, display
            display(Image(data=png))
            return
        from PIL import Image, ImageShow
        picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        if not ImageShow.show(Image.fromarray(picture[..., ::-1]), self._prediction.name):
            raise ConfigError('there is no program here that shows pictures: write the picture by '
                              'overlay(out_file=...) instead')

    def _png(self, opacity: float = 0.5, legend: bool = True) -> bytes:
        return cv2.imencode('.png', self.overlay(opacity, legend))[1].tobytes()

    def _repr_png_(self) -> bytes:
        return self._png()

    def __repr__(self) -> str:
        shares = sorted(self.shares.items(), key=lambda item: -item[1])
        told = ', '.join(f'{name} {share:.1%}' for name, share in shares[:SHOWN])
        more = ', ...' if len(shares) > SHOWN else ''
        height, width = self.seg_map.shape
        return f'Segmentation({width} x {height}: {told}{more})'
