"""Frames of videos, and videos of pictures."""
import os

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.prediction.video import CODECS, Frames, VideoFile

SIZE = (48, 64)
# Columns and rows that a player turns by a quarter, as telephones write it.
TURNED = (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)


def scene(number, size=SIZE):
    """Dark, with a light block that moves."""
    picture = np.zeros((*size, 3), np.uint8)
    picture[8:24, 8 * number:8 * number + 16] = (40, 120, 240)
    return picture


def write(path, code, frames=6, rate=12.5):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), rate, SIZE[::-1])
    for number in range(frames):
        writer.write(scene(number))
    writer.release()
    return str(path)


@pytest.mark.parametrize(('suffix', 'code'), CODECS.items())
def test_frames_in_order(tmp_path, suffix, code):
    video = Frames(write(tmp_path / f'clip 图.{suffix}', code))
    assert (video.rate, video.count) == (12.5, 6)
    frames = list(video.read())
    assert len(frames) == 6
    for number, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - scene(number)).mean() < 6
    assert len(list(video.read())) == 6  # again


def test_frames_are_turned_as_the_file_says(tmp_path):
    path = tmp_path / 'clip.mp4'
    write(path, 'mp4v')
    content = bytearray(path.read_bytes())
    matrix = content.index(b'tkhd') + 4 + 40
    content[matrix:matrix + 36] = b''.join(
        number.to_bytes(4, 'big', signed=True) for number in TURNED)
    path.write_bytes(content)
    frame = next(Frames(str(path)).read())
    expected = np.rot90(scene(0), -1)  # clockwise
    assert frame.shape == expected.shape == (64, 48, 3)
    assert np.abs(frame.astype(int) - expected).mean() < 6


def test_no_more_frames_after_a_stop(tmp_path):
    video = Frames(write(tmp_path / 'clip.avi', 'MJPG'))
    frames = video.read()
    next(frames)
    video.stop()
    assert list(frames) == []


def test_what_is_no_video(tmp_path):
    with pytest.raises(MissingDataError, match=r'cannot read .*none\.mp4: it does not exist'):
        Frames(str(tmp_path / 'none.mp4'))
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.avi').write_text('no video')
    for name in ('empty.mp4', 'text.avi'):
        with pytest.raises(DataError, match=f'{name}: OpenCV cannot open the video'):
            Frames(str(tmp_path / name))
    with pytest.raises(DataError, match=r'none\.avi: the video has no frame that can be decoded'):
        list(Frames(write(tmp_path / 'none.avi', 'MJPG', frames=0)).read())


def test_a_damaged_video_gives_what_it_has(tmp_path):
    path = tmp_path / 'clip.webm'
    write(path, 'VP80', frames=40)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    video, frames = Frames(str(path)), []
    video.count = 40  # a file may say it at its beginning
    with pytest.raises(DataError, match=r'damaged after frame \d+ of 40; those before it were'):
        frames.extend(video.read())
    assert 0 < len(frames) < 36


@pytest.mark.parametrize('suffix', CODECS)
@pytest.mark.parametrize('size', [(48, 64), (47, 63)])
def test_pictures_of_any_size_are_whole(tmp_path, suffix, size):
    """Codecs take even sizes: an odd one is filled up by its last row and column."""
    video = VideoFile(tmp_path / f'sub/painted.{suffix}', 8, size)
    for number in range(4):
        video.add(scene(number, size))
    assert not video.path.exists()
    video.finish()
    assert [file.name for file in video.path.parent.iterdir()] == [f'painted.{suffix}']
    frames = Frames(str(video.path))
    assert frames.rate == 8
    for number, frame in enumerate(frames.read()):
        assert frame.shape == (48, 64, 3)
        assert np.abs(frame[:size[0], :size[1]].astype(int) - scene(number, size)).mean() < 8
    assert number == 3


def test_an_unfinished_video_leaves_nothing(tmp_path):
    video = VideoFile(tmp_path / 'painted.webm', 8, SIZE)
    video.add(scene(0))
    video.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / 'folder').touch()
    with pytest.raises(OSError, match='folder'):
        VideoFile(tmp_path / 'folder/painted.webm', 8, SIZE)
    video = VideoFile(tmp_path / 'painted.webm', 8, SIZE)

    class Refusing:
        def write(self, picture):
            return False

        def release(self):
            pass

    video._writer.release()
    video._writer = Refusing()
    with pytest.raises(DataError, match='OpenCV has refused a frame; is the disk full'):
        video.add(scene(0))
    video.discard()
    monkeypatch.setitem(CODECS, 'webm', 'none')
    with pytest.raises(DataError, match=r'cannot write a video of 64 x 48 as none; choose another'):
        VideoFile(tmp_path / 'other.webm', 8, SIZE)


@pytest.mark.parametrize('suffix', CODECS)
@pytest.mark.parametrize('share', [0, 0.7])
def test_a_video_that_a_full_disk_has_cut_off(tmp_path, suffix, share):
    video = VideoFile(tmp_path / f'painted.{suffix}', 8, SIZE)
    for number in range(20):
        video.add(scene(number))
    writer = video._writer

    class Cut:
        def release(self):
            writer.release()
            os.truncate(video._temporary, int(share * video._temporary.stat().st_size))

    video._writer = Cut()
    with pytest.raises(DataError, match=r' \d+ of 20 frames have arrived; is the disk full'):
        video.finish()
    assert not video.path.exists()
