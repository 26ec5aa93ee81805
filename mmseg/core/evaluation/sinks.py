"""What is done with a stream of predictions, in one pass and without keeping them."""
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.image import to_displayable
from mmcv_replace.image.display import show_first
from mmcv_replace.runner import get_dist_info
from mmcv_replace.utils import ProgressBar, path_inside
from mmcv_replace.utils.errors import ConfigError

from .collect import gather_results
from .labels import remap_labels
from .overrides import takes
from .predict import Prediction

# Suffixes of files that OpenCV writes, but without colours.
GREY = ('.pgm', '.pbm')


class Sink:
    """Base of what is done with predictions; for one run of `run_sinks`."""

    def add(self, prediction: Prediction) -> None:
        """Process one prediction."""
        raise NotImplementedError

    def finish(self) -> None:
        """Complete the work after the last prediction; not called after an error."""

    def close(self) -> None:
        """Free what the sink holds; called once, at the end or after an error anywhere."""


def run_sinks(predictions: Iterable[Prediction], sinks: Sequence[Sink]) -> None:
    """Pull the predictions once, and give each of them to all sinks in turn.

    After an error the stream of predictions and all sinks are closed before it is raised.
    """
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        if isinstance(predictions, Generator):
            stack.enter_context(closing(predictions))
        for prediction in predictions:
            for sink in sinks:
                sink.add(prediction)
        for sink in sinks:
            sink.finish()


def relabel(predictions: Iterable[Prediction], order: Sequence[int]) -> Iterator[Prediction]:
    """Replace each predicted class by `order[class]`; `order` is a permutation of the classes."""
    table, inverse = dict(enumerate(order)), np.argsort(order)
    for prediction in predictions:
        scores = prediction.scores
        yield replace(prediction, seg_map=remap_labels(prediction.seg_map, table),
                      scores=scores[inverse] if scores is not None and scores.ndim == 3 else scores)


class ShowProgress(Sink):
    """Show how many of `total` predictions are done, and how many a second, on rank 0."""

    def __init__(self, total: int, unit: str = 'it') -> None:
        self._bars = [ProgressBar(total, unit=unit)] if get_dist_info()[0] == 0 else []

    def add(self, prediction: Prediction) -> None:
        for bar in self._bars:
            bar.update()

    def leave_out(self) -> None:
        """Expect one prediction less."""
        for bar in self._bars:
            bar.leave_out()

    def close(self) -> None:
        for bar in self._bars:
            bar.close()


class CollectResults(Sink):
    """Keep (index, what `convert` makes of the prediction) of each in `results`."""

    def __init__(self, convert: Callable[[Prediction], Any]) -> None:
        self._convert = convert
        self.results: list[tuple[int, Any]] = []

    def add(self, prediction: Prediction) -> None:
        self.results.append((prediction.index, self._convert(prediction)))


class CollectSegMaps(CollectResults):
    """Keep (index, segmentation map) of each prediction in `results`."""

    def __init__(self) -> None:
        super().__init__(lambda prediction: prediction.seg_map)


class WriteOverlays(Sink):
    """Draw each prediction over its original image, by `show_result` of the model.

    Pictures are written to `out_dir`, in files that `file_name(prediction)` names, and with `show`
    also shown on the screen. `palette` holds an RGB colour per class; `legend` lists the classes in
    the picture; `bands` of the image are shown, see `to_displayable`. `ignore_index` is a label
    that is no class. The model may be wrapped for training. Raises DataError if a name leads out of
    `out_dir`, and what `Prediction.read_image` raises.
    """

    def __init__(
        self, model: nn.Module, out_dir: str | Path | None = None, show: bool = False,
        opacity: float = 0.5, legend: bool = False, palette: Sequence[Sequence[int]] | None = None,
        file_name: Callable[[Prediction], str] = lambda prediction: prediction.name,
        bands: Sequence[int] | None = None, ignore_index: int | None = None,
    ) -> None:
        inner = getattr(model, 'module', model)
        self._draw = inner.show_result
        channels = getattr(inner, 'input_bands', None)
        self._bands = show_first(channels) if bands is None and channels is not None else bands
        self._out_dir = out_dir
        self._file_name = file_name
        self._options: dict[str, Any] = dict(palette=palette, show=show, opacity=opacity)
        if legend:  # a parameter that a user's own show_result may lack
            self._options['legend'] = True
        if ignore_index is not None and takes(self._draw, 'ignore_index'):
            self._options['ignore_index'] = ignore_index

    def add(self, prediction: Prediction) -> None:
        out_file = None
        if self._out_dir is not None:
            name = self._file_name(prediction)
            coloured = cv2.haveImageWriter(name) and Path(name).suffix.lower() not in GREY
            out_file = path_inside(self._out_dir, name if coloured else f'{name}.png')
        self.draw(prediction, out_file)

    def draw(self, prediction: Prediction, out_file: Path | None = None) -> np.ndarray:
        """The picture BGR [H, W, 3] of a prediction, also written to `out_file`."""
        return self.draw_over(prediction.read_image(), prediction.seg_map, out_file)

    def draw_over(self, img: np.ndarray, seg_map: np.ndarray,
                  out_file: Path | None = None) -> np.ndarray:
        """The picture BGR [H, W, 3] of a label map [H, W] over an image of any type."""
        options = self._options
        if self._bands is None or not takes(self._draw, 'bands'):
            img = to_displayable(img, self._bands)
        else:
            options = dict(options, bands=self._bands)
        return self._draw(img, [seg_map], out_file=None if out_file is None else str(out_file),
                          **options)


class WriteSubmission(Sink):
    """Write predictions to `out_dir` in the form of the data set's test server.

    This is done by `format_results` of the data set. If that takes no `indices`, it is called once
    at the end, on the first process, with the segmentation maps of all processes. `options` are
    further arguments for it. Raises ConfigError for an option that it does not take.
    """

    def __init__(self, dataset: Dataset, out_dir: str | Path, **options: object) -> None:
        self._write = dataset.format_results
        for name in options:
            if not takes(self._write, name):
                raise ConfigError(f'--eval-options {name}=...: format_results of the dataset does '
                                  'not take it; out_dir=DIR says where the files go')
        self._out_dir = str(out_dir)
        self._options = options
        self._at_once = not takes(self._write, 'indices')
        self._seg_maps: list[tuple[int, list[np.ndarray]]] = []

    def add(self, prediction: Prediction) -> None:
        if self._at_once:
            self._seg_maps.append((prediction.index, [prediction.seg_map]))
        else:
            self._write([prediction.seg_map], self._out_dir, indices=[prediction.index],
                        **self._options)

    def finish(self) -> None:
        everything = gather_results(self._seg_maps) if self._at_once else None
        if everything is not None:
            self._write(everything, self._out_dir, **self._options)
