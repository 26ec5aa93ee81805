"""What the network sees of a large image, window by window from its file."""
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.image import impad
from mmcv_replace.image.formats.rows import WholeImage, open_rows
from mmcv_replace.image.resize_rows import ResizedRows, RowReader
from mmcv_replace.utils.errors import DataError, UserError
from mmseg.datasets.pipelines import LoadImageFromFile, Pad
from mmseg.models.segmentors.slide import Span

from .geometry import View

WHOLE_ROWS = 256  # that are read at once where all of the image is wanted


class LoadedRows:
    """An open image file: rows as the loading step gives them. Close it, or use it with `with`."""

    def __init__(self, loader: LoadImageFromFile, path: str) -> None:
        self._path = path
        self._stack = ExitStack()
        with _told(path):
            self._rows = self._stack.enter_context(open_rows(
                path, flag=loader.color_type, backend=loader.imdecode_backend, key=loader.npz_key,
                channels=loader.channels))
        self.height, self.width = size = self._rows.height, self._rows.width
        self._convert: Callable[[np.ndarray], np.ndarray] = (
            lambda part: loader.convert(part, path, size))
        self.is_whole = isinstance(self._rows, WholeImage)  # decoded, and in memory
        try:
            pixel = self.read(0, 1, 0, 1)
        except BaseException:
            self._stack.close()
            raise
        self.shape = (self.height, self.width, *pixel.shape[2:])

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        with _told(self._path):
            return self._convert(self._rows.read(top, bottom, left, right))

    def __enter__(self) -> 'LoadedRows':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stack.close()


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Name the file that cannot be read."""
    try:
        yield
    except UserError:  # among which are errors of the system
        raise
    except OSError as error:
        raise DataError(f'cannot read {path}: {error.strerror or error}') from error


class NetworkInput:
    """The windows [1, C, H, W] of a view of an image, as tensors on a device.

    Of the image no other columns are read than those that windows between `columns` show, and of
    its rows each is read once, if windows are taken from top to bottom. Those of the next of
    `spans`, the rows of windows, are read by a thread while the network computes: use it with
    `with`. Raises ConfigError where the view does not fit to `channels`.
    """

    dtype = torch.float32

    def __init__(self, rows: RowReader, view: View, channels: int, device: torch.device,
                 columns: Span, spans: Sequence[Span] = ()) -> None:
        for size in view.sizes:
            rows = ResizedRows(rows, size)
        seen = np.broadcast_to(np.uint8(0), (rows.height, rows.width, channels))
        for step in view.values:
            step.draw(dict(img=seen))
        self._rows = rows
        self._values = view.values
        self._device = device
        self._left, self._right = columns[0], min(columns[1], rows.width)
        self._band: np.ndarray | None = None  # the rows that were read last
        self._span = (0, 0)
        inner = [(min(top, rows.height), min(bottom, rows.height)) for top, bottom in spans]
        self._following = dict(pairwise(inner))
        self._reader = ThreadPoolExecutor(1)  # alone reads, as the files of rows are at one place
        self._ahead: tuple[Span, Future[np.ndarray]] | None = None
        self.shape = (1, channels, *view.size)

    def window(self, rows: Span, columns: Span) -> Tensor:
        """The window [1, C, rows, columns]."""
        height, width = rows[1] - rows[0], columns[1] - columns[0]
        top, bottom = (min(edge, self._rows.height) for edge in rows)
        left, right = (min(edge, self._rows.width) for edge in columns)
        if top < bottom:
            self._read(top, bottom)
        part = self._band[top - self._span[0]:bottom - self._span[0],
                          left - self._left:right - self._left]
        for step in self._values:
            if isinstance(step, Pad):
                part = part if part.shape[:2] == (height, width) else impad(
                    part, shape=(height, width), pad_val=step.pad_val)
            elif part.size:
                part = step.apply_image(part, None)
            else:  # the window lies beyond the image
                part = part.astype(np.float32)
        part = part[..., None] if part.ndim == 2 else part
        tensor = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1), np.float32))
        return tensor[None].to(self._device)

    def whole(self) -> Tensor:
        """All of it, [1, C, H, W]."""
        height, width = self.shape[2:]
        img = torch.empty(self.shape, device=self._device)
        for top in range(0, height, WHOLE_ROWS):
            rows = top, min(top + WHOLE_ROWS, height)
            img[:, :, slice(*rows)] = self.window(rows, (0, width))
        return img

    def _read(self, top: int, bottom: int) -> None:
        """Have the rows from `top` to `bottom` in memory, and none above."""
        first, last = self._span
        if (top, bottom) == self._span:
            return
        begin = last if first <= top < last <= bottom else top  # of the rows that are not here
        parts = [self._band[top - first:]] if begin > top else []
        if begin < bottom:  # none are missing where the window reaches into the padding
            parts.append(self._take((begin, bottom)))
        self._band = np.concatenate(parts) if len(parts) > 1 else parts[0]
        self._span = top, bottom
        begin, end = self._following.get(self._span, (bottom, bottom))
        if end > bottom:
            span = max(begin, bottom), end
            self._ahead = span, self._submit(span)

    def _take(self, span: Span) -> np.ndarray:
        """Rows of the image that were read ahead, or are read now."""
        ahead, self._ahead = self._ahead, None
        fits = ahead is not None and ahead[0] == span
        return (ahead[1] if fits else self._submit(span)).result()

    def _submit(self, span: Span) -> 'Future[np.ndarray]':
        return self._reader.submit(self._rows.read, *span, self._left, self._right)

    def __enter__(self) -> 'NetworkInput':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._reader.shutdown(cancel_futures=True)
