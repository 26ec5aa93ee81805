"""Videos: frames of a file, and pictures as a new one, by OpenCV."""
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mmcv_replace.utils.errors import DataError, MissingDataError

from .threads import ahead_of

VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.flv', '.ts',
          '.mts', '.ogv', '.3gp')
# What the wheels of OpenCV write on every machine; browsers play the first alone.
CODECS = {'webm': 'VP80', 'mp4': 'mp4v', 'avi': 'MJPG'}
RATE = 25.0  # frames a second of a file that does not say it
AHEAD = 4  # frames that are decoded before they are used
SURE = 0.9  # of the frames that a file says to have, a smaller share tells of damage


def is_video(path: str) -> bool:
    """Whether a file is a video, by its suffix."""
    return path.lower().endswith(VIDEOS)


class Frames:
    """The frames of a video file, turned as it says.

    Raises DataError for a file that is missing, or no video.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._stopped = False
        capture = self._open()
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate < 1000 else RATE  # a broken header gives anything
        # The number that the file says to have; 0 where it does not.
        self.count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        capture.release()

    def read(self) -> Iterator[np.ndarray]:
        """The frames BGR [H, W, 3], decoded by another thread, until `stop` is called.

        Raises DataError if there is none, and at the end if many are missing.
        """
        number = 0
        for frame in ahead_of(self._decode(), AHEAD):
            if self._stopped:
                return
            number += 1
            yield frame
        if number == 0:
            raise DataError(f'{self._path}: the video has no frame that can be decoded; fetch or '
                            'make the file again')
        # Some containers only allow to estimate the number, from duration and rate.
        if number < SURE * self.count:
            raise DataError(f'{self._path}: the video is damaged after frame {number} of '
                            f'{self.count}; those before it were predicted')

    def stop(self) -> None:
        """Give no more frames."""
        self._stopped = True

    def _decode(self) -> Iterator[np.ndarray]:
        capture = self._open()
        try:
            while True:
                found, frame = capture.read()
                if not found:
                    return
                yield frame
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        if not os.path.isfile(self._path):
            raise MissingDataError(f'cannot read {self._path}: it does not exist')
        capture = cv2.VideoCapture(self._path)
        if not capture.isOpened():
            capture.release()
            raise DataError(f'{self._path}: OpenCV cannot open the video: it is damaged, empty or '
                            'in a format that it does not know; make it an .mp4 of H.264')
        return capture


class VideoFile:
    """Writes pictures of one size as a video, which takes its name when it is complete."""

    def __init__(self, path: str | Path, rate: float, size: tuple[int, int]) -> None:
        """`path`: its suffix is one of CODECS. `rate`: frames a second. `size`: height, width.

        Raises DataError where OpenCV cannot write it.
        """
        self.path = Path(path)
        self.size = size
        # Codecs take even sizes alone, and OpenCV would cut the last row or column.
        self._even = tuple(length + length % 2 for length in size)
        self._temporary = self.path.with_name(
            f'.{self.path.stem[:50]}.{uuid.uuid4().hex}{self.path.suffix}')
        code = CODECS[self.path.suffix.removeprefix('.')]
        self._added = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = cv2.VideoWriter(str(self._temporary), cv2.VideoWriter_fourcc(*code), rate,
                                       self._even[::-1])
        if not self._writer.isOpened():
            self.discard()
            raise DataError(f'{self.path}: OpenCV cannot write a video of {size[1]} x {size[0]} as '
                            f'{code}; choose another format of {", ".join(CODECS)}, or a folder '
                            'that can be written to')

    def add(self, picture: np.ndarray) -> None:
        """Add a picture BGR [H, W, 3] uint8 of the size of the video."""
        assert picture.shape[:2] == self.size, (picture.shape, self.size)
        below, right = (even - length for even, length in zip(self._even, self.size, strict=True))
        if below or right:
            picture = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
        # OpenCV 4 returns nothing.
        if self._writer.write(np.ascontiguousarray(picture)) is False:
            raise DataError(f'cannot write {self.path}: OpenCV has refused a frame; is the disk '
                            'full?')
        self._added += 1

    def finish(self) -> None:
        """Complete the file. Raises DataError where it does not hold all pictures."""
        self._writer.release()
        # OpenCV tells nothing of a disk that was full, and the file may say to have all frames.
        arrived = _count_frames(self._temporary)
        if arrived < self._added:
            raise DataError(f'cannot write {self.path}: {arrived} of {self._added} frames have '
                            'arrived; is the disk full?')
        os.replace(self._temporary, self.path)

    def discard(self) -> None:
        """Stop, and delete what was written."""
        self._writer.release()
        self._temporary.unlink(missing_ok=True)


def _count_frames(path: Path) -> int:
    """The number of frames in a file that can be decoded."""
    capture = cv2.VideoCapture(str(path))
    number = 0
    while capture.grab():
        number += 1
    capture.release()
    return number
