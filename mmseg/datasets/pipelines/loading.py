"""Read the image and the mask of a sample."""
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from mmcv_replace.fileio import FileClient, HardDiskBackend
from mmcv_replace.image import imfrombytes
from mmcv_replace.image.bands import as_bands, as_bands_last, band_count
from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.utils.errors import ConfigError, ConfigKeyError, DataError, MissingDataError
from mmseg.core.evaluation.labels import remap_labels

from ..builder import PIPELINES
from ..masks.annotation import check_labels
from ..masks.form import MaskForm
from .base import Results, Step, Transform
from .ignored import ignore_index_of

DISK = {'backend': 'disk'}

# A file that was read: its path, its stamp (see `FileClient.stamp`) before that, its content. For
# one that was looked for and does not exist the stamp is ABSENT.
Source = tuple[str, str, bytes]
ABSENT = 'absent'


class FileLoader(Transform):
    """Base of steps that read files through a `FileClient`, which is created on first use.

    `sources` gets what `read` reads where it is a list, for a cache that watches the files. Errors
    speak of the data set unless the files are of none.
    """

    sources: list[Source] | None = None
    of_data_set = True

    def __init__(self, file_client_args: dict[str, Any] | None, imdecode_backend: str) -> None:
        self.file_client_args = dict(DISK if file_client_args is None else file_client_args)
        self.imdecode_backend = imdecode_backend
        self.file_client: FileClient | None = None

    @property
    def client(self) -> FileClient:
        if self.file_client is None:
            self.file_client = FileClient(**self.file_client_args)
        return self.file_client

    def read(self, path: str, what: str) -> bytes:
        """Content of a file, a sample's `what`; DataError where it cannot be read."""
        client = self.client
        try:
            stamp = None if self.sources is None else client.stamp(path)
            content = bytes(client.get(path))  # some backends give a memoryview
        except DataError as error:
            missing = isinstance(error.__cause__, FileNotFoundError)
            if missing and self.sources is not None:
                self._note(path, ABSENT, b'')
            remedy = (f' (the {what} of a sample); check the folders, the suffixes and the split '
                      'of the dataset') if self.of_data_set else ''
            raise (MissingDataError if missing else DataError)(f'{error}{remedy}') from error
        if stamp is not None:
            self._note(path, stamp, content)
        return content

    def _note(self, path: str, stamp: str, content: bytes) -> None:
        on_disk = isinstance(self.client.client, HardDiskBackend)
        self.sources.append((os.path.abspath(path) if on_disk else path, stamp, content))

    def _settings(self, **settings: Any) -> str:
        """The form in which mmsegmentation 0.x prints these steps."""
        if self.file_client_args != DISK:
            settings['file_client_args'] = self.file_client_args
        listed = ','.join(f'{name}={value!r}' for name, value in settings.items())
        return f'{type(self).__name__}({listed})'


@PIPELINES.register_module()
class LoadImageFromFile(FileLoader):
    """Read `img_info['filename']` under `img_prefix` to `img`: [H, W, 3] uint8 in BGR order.

    `color_type` is 'color', 'grayscale' ([H, W]), 'unchanged' (see `mmcv_replace.image.imread`) or
    'bands': all bands, in the order of the file, of uint8, uint16 or float32, as
    `mmcv_replace.image.as_bands` gives them. `channels` is then the number that each file must
    have, None for any. The setting `in_channels` of a config sets both. `npz_key` names the array
    in .npz files of several.
    """

    cache_level = 'decoded'
    # For steps of users that do not call this constructor.
    channels: int | None = None
    npz_key: str | None = None

    def __init__(self, to_float32: bool = False, color_type: str = 'color',
                 file_client_args: dict[str, Any] | None = DISK,
                 imdecode_backend: str = 'cv2', channels: int | None = None,
                 npz_key: str | None = None) -> None:
        super().__init__(file_client_args, imdecode_backend)
        if channels is not None and (color_type != BANDS or channels < 1):
            raise ConfigError(f'LoadImageFromFile: channels={channels} with color_type='
                              f'{color_type!r}: give 1 or more with color_type={BANDS!r}')
        self.to_float32 = to_float32
        self.color_type = color_type
        self.channels = channels
        self.npz_key = npz_key

    def __repr__(self) -> str:
        more = {name: getattr(self, name) for name in ('channels', 'npz_key')
                if getattr(self, name) is not None}
        return self._settings(to_float32=self.to_float32, color_type=self.color_type,
                              imdecode_backend=self.imdecode_backend, **more)

    def __call__(self, results: Results) -> Results:
        name = results['img_info']['filename']
        path = os.path.join(results.get('img_prefix') or '', name)
        img = self.decode(self.read(path, 'image'), path)
        results.update(filename=path, ori_filename=name, **self.describe(img))
        return results

    def decode(self, content: bytes, name: str) -> np.ndarray:
        """The image in the bytes of a file, which is called `name` in messages."""
        return self.convert(imfrombytes(
            content, flag=self.color_type, backend=self.imdecode_backend, name=name,
            key=self.npz_key), name)

    def convert(self, img: np.ndarray, name: str, size: tuple[int, int] | None = None
                ) -> np.ndarray:
        """What this step makes of a decoded image, or of a part, whose bands come last, of one of
        `size` (height, width).
        """
        if self.color_type == BANDS:
            img = (as_bands(img, self.channels, name) if size is None else
                   as_bands_last(img, self.channels, name, size))
        return img.astype(np.float32) if self.to_float32 else img

    def describe(self, img: np.ndarray) -> dict[str, Any]:
        """The keys of a sample for a loaded image."""
        return describe_image(img, self.color_type == BANDS)


def image_loader(steps: Sequence[Step]) -> int:
    """Place of the step that loads the image: a LoadImageFromFile, or else the first step."""
    return next((place for place, step in enumerate(steps)
                 if isinstance(step, LoadImageFromFile)), 0)


def describe_image(img: np.ndarray, red_first: bool = False) -> dict[str, Any]:
    """Keys of a sample for an image [H, W] or [H, W, C] as loaded.

    `red_first`: the colours of an image of three channels are not BGR, but RGB.
    """
    channels = band_count(img)
    norm = dict(mean=np.zeros(channels, np.float32), std=np.ones(channels, np.float32),
                to_rgb=red_first and channels == 3)
    return dict(img=img, img_shape=img.shape, ori_shape=img.shape, pad_shape=img.shape,
                scale_factor=1.0, img_norm_cfg=norm)


@PIPELINES.register_module()
class LoadAnnotations(FileLoader):
    """Read the mask `ann_info['seg_map']` under `seg_prefix` to `gt_semantic_seg`: [H, W].

    The dataset's `colour_map` or `class_files` say how files hold values, if not as numbers, and
    its `seg_map_key` names the mask in .npz files of several arrays. Values are mapped by its
    `label_map`, then by `reduce_zero_label` (by default the dataset's), which makes 0 the ignored
    label and lowers the others by one. Raises DataError for a mask with colours that have no value,
    of another size than the image, or with a value that is no class.
    """

    cache_level = 'decoded'

    def __init__(self, reduce_zero_label: bool | None = None,
                 file_client_args: dict[str, Any] | None = DISK,
                 imdecode_backend: str = 'pillow') -> None:
        super().__init__(file_client_args, imdecode_backend)
        self.reduce_zero_label = reduce_zero_label

    def __repr__(self) -> str:
        return self._settings(reduce_zero_label=bool(self.reduce_zero_label),
                              imdecode_backend=self.imdecode_backend)

    def __call__(self, results: Results) -> Results:
        seg_map = (results.get('ann_info') or {}).get('seg_map')
        if seg_map is None:
            raise ConfigKeyError('LoadAnnotations: the dataset has no masks; give it ann_dir, or '
                                 'leave this step out of the pipeline')
        path = os.path.join(results.get('seg_prefix') or '', seg_map)
        ignore_index = ignore_index_of(results)
        form = MaskForm(results.get('colour_map'), results.get('class_files'),
                        results.get('seg_map_key'))
        label, lossy = form.read(path, partial(self.read, what='mask'), self.imdecode_backend,
                                 ignore_index)
        if 'img' in results:
            _check_size(label, path, results['img'], results.get('filename'))
        reduces = self.reduce_zero_label
        if reduces is None:
            reduces = results.get('reduce_zero_label', False)
        label = remap_labels(label, results.get('label_map'), reduces, ignore_index)
        if 'num_classes' in results:
            check_labels(label, path, results['num_classes'], ignore_index, lossy)
        results['gt_semantic_seg'] = label
        # A list of its own, as views share theirs; a name twice would be flipped twice.
        fields = results.get('seg_fields', ())
        results['seg_fields'] = [*(name for name in fields if name != 'gt_semantic_seg'),
                                 'gt_semantic_seg']
        return results


def _check_size(label: np.ndarray, path: str, img: np.ndarray, img_path: str | None) -> None:
    size, expected = label.shape, img.shape[:2]
    if size == expected:
        return
    message = (f'{path}: the mask is {size[0]} x {size[1]} (height x width), but its image '
               f'{img_path or ""} is {expected[0]} x {expected[1]}; make them equal')
    if size == expected[::-1]:
        message += ' (is the image turned by an EXIF orientation? then store it upright)'
    raise DataError(message)
