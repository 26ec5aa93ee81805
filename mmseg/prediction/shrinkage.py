"""Say that the network sees far less of an image than there is."""
from collections.abc import Sequence

from mmseg.utils import get_root_logger

from .options import PredictOptions
from .pipeline import TTA_RATIOS

CONSIDERABLE = 2  # a side that is shrunk by more is worth a word


class ShrinkageNote:
    """Logs, once in a run, that the test pipeline shrinks an image, and what to do about it.

    Nothing is said where `options` have a scale, which somebody has chosen. `by_windows`: whether
    the network sees images by windows; without them one in its own size may not fit into memory.
    """

    def __init__(self, options: PredictOptions, by_windows: bool) -> None:
        self._done = options.scale is not None
        self._view = TTA_RATIOS[0] if options.tta else 1.0  # what the first view is shrunk by
        self._remedy = '--scale 1' if by_windows else '--slide --scale 1'

    def look(self, name: str, size: Sequence[int], seen: Sequence[int],
             most: float = CONSIDERABLE) -> None:
        """Note the `size` of an image and what is `seen` in the first view: height, width, ...

        It is worth a word where a side is shrunk by more than `most`.
        """
        if self._done:
            return
        height, width = (round(length / self._view) for length in seen[:2])
        if size[0] > most * height or size[1] > most * width:
            self._done = True
            get_root_logger().info(
                '%s, and maybe others: the test pipeline shrinks %d x %d pixels to %d x %d; if the '
                'model was trained on larger ones, %s predicts images in their own size',
                name, size[1], size[0], width, height, self._remedy)
