"""Painted pictures of predictions, and of the frames of videos."""
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from mmcv_replace.fileio import atomic_write
from mmseg.core.evaluation import Prediction, WriteOverlays

from .outputs import Outputs
from .sources import Source
from .video import VideoFile


class PaintOutputs(WriteOverlays):
    """Paint images to their files, and frames to the video that they are of.

    Frames have to come in their order.
    """

    def __init__(self, model: nn.Module, outputs: Outputs) -> None:
        options = outputs.options
        super().__init__(model, outputs.folder, opacity=options.opacity, legend=options.legend,
                         palette=outputs.palette, bands=options.bands, ignore_index=outputs.ignore)
        self._outputs = outputs
        ignored = [] if outputs.ignore is None else [outputs.ignore]
        self._labels = np.array([*range(len(outputs.names)), *ignored], np.uint16)
        self._video: VideoFile | None = None

    def add(self, prediction: Prediction) -> None:
        source = self._outputs.source(prediction.index)
        places = self._outputs.place(source)
        if places.video is not None:
            self._add_frame(prediction, source, places.video)
        elif places.overlay is not None:
            write_picture(self.draw(prediction), places.overlay)

    def _add_frame(self, prediction: Prediction, source: Source, path: Path) -> None:
        if self._video is not None and self._video.path != path:
            self.finish()
        picture = self.draw(prediction)
        if self._video is None:
            self._video = VideoFile(path, source.frame.video.rate, self._size(prediction))
        self._video.add(fit(picture, self._video.size))

    def _size(self, prediction: Prediction) -> tuple[int, int]:
        """Height and width of pictures of a video, with room for the name of any class."""
        height, width = prediction.seg_map.shape
        image = prediction.read_image()
        # A picture wide enough to show every class.
        wide = np.resize(image, (height, max(width, len(self._labels)), *image.shape[2:]))
        every = np.resize(self._labels, wide.shape[:2])
        return height, width + self.draw_over(wide, every).shape[1] - wide.shape[1]

    def finish(self) -> None:
        if self._video is not None:
            self._video.finish()
            self._video = None

    def close(self) -> None:
        if self._video is not None:
            self._video.discard()


def write_picture(picture: np.ndarray, path: Path) -> None:
    """Write a BGR picture in the format of the suffix, in one step: a file is a complete one."""
    with atomic_write(path, sync=False) as file:
        file.write(cv2.imencode(path.suffix, picture)[1].tobytes())


def fit(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture [H, W, 3] cut to a size, or with white at its right and below."""
    height, width = size
    picture = picture[:height, :width]
    if picture.shape[:2] == size:
        return picture
    whole = np.full((height, width, 3), 255, np.uint8)
    whole[:picture.shape[0], :picture.shape[1]] = picture
    return whole
