"""The base of all data sets that are folders of images and masks."""
import copy
import logging
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mmcv_replace.fileio import FileClient
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation.labels import remap_labels
from mmseg.core.evaluation.overrides import is_own, standard

from .builder import DATASETS
from .listing.file_list import (
    ImgInfo,
    check_folders,
    check_list,
    check_samples,
    is_remote,
    list_samples,
)
from .loader.skip_samples import LOAD_ERRORS, DroppedSamplesError
from .masks.classes import (
    Palette,
    check_own_classes,
    choose_palette,
    read_classes,
    subset_label_map,
)
from .masks.form import read_mask_form
from .masks.label_settings import agree_on_zero, check_labels, read_label_map
from .pipelines import Compose
from .pipelines.ignored import DEFAULT
from .pipelines.loading import image_loader
from .scores.scoring import ScoredDataset

logger = logging.getLogger('mmseg.datasets')

# Number of training samples in a row that the pipeline may drop.
MAX_DROPPED = 100


@DATASETS.register_module()
class CustomDataset(ScoredDataset):
    """Images `img_dir/NAME{img_suffix}` with masks `ann_dir/NAME{seg_map_suffix}`.

    Masks are palette or grey PNGs of class indices. The text file `split` has one NAME a line, or
    the files of an image and its mask with a tab between them; without it all images under
    `img_dir` are used. Relative paths are under `data_root`.

    `classes` (a list of names, or the name of a text file of them) chooses some of the data set's
    CLASSES; pixels of the others are ignored. `palette` holds one RGB colour for each class.

    `seg_map_key` names the masks in .npz files of several arrays, which may hold the images too
    (`npz_key` of LoadImageFromFile).

    `label_map` maps the values in the masks to classes, or to -1 for pixels to ignore.
    `reduce_zero_label` (False) is applied after it: 0 is ignored and all other values are lowered
    by one. `ignore_index` (255) is the label of ignored pixels. The steps of the pipeline use
    these settings. Labels that neither the config nor the class sets are those of the training
    data (`follow_labels`).

    `colour_map` is for masks of RGB colours: the value that each stands for, as {'128,64,128': 0},
    '*' meaning all others and -1 what is ignored, or a list of the colours of 0, 1, 2 and so on.
    `class_files` is for masks in one file a class, the name of which stands for `{class}` in the
    name of the mask: {'road': 1, 'car': 2}; black is no class, and later classes cover earlier
    ones. Either gives the values that a mask of numbers would hold.

    A subclass sets what its data have in common as class attributes; arguments override them.

    The list of the samples is read when it is first asked for, but where a subclass overrides
    `load_annotations`, which may prepare more than the list, at once. `check_files` looks at the
    folders and the first files; the commands call it.
    """

    CLASSES: Sequence[str] | None = None
    PALETTE: Palette | None = None
    img_suffix: str = '.jpg'
    seg_map_suffix: str = '.png'
    seg_map_key: str | None = None
    label_map: dict[int, int] | None = None
    reduce_zero_label: bool | None = None
    needs_split: bool = False  # the folders also hold images of other splits
    _img_infos: list[ImgInfo] | None = None

    def __init__(self, pipeline: Sequence[dict[str, Any] | Callable], img_dir: str,
                 img_suffix: str | None = None, ann_dir: str | None = None,
                 seg_map_suffix: str | None = None, split: str | None = None,
                 data_root: str | None = None, test_mode: bool = False,
                 ignore_index: int | None = None, reduce_zero_label: bool | None = None,
                 classes: str | Sequence[str] | None = None, palette: Palette | None = None,
                 label_map: dict[int | str, int | str] | None = None,
                 seg_map_key: str | None = None,
                 colour_map: dict[str, int] | Sequence[Sequence[int]] | None = None,
                 class_files: dict[str, int] | None = None) -> None:
        owner = type(self).__name__
        if self.needs_split and split is None:
            raise ConfigError(f'{owner} needs split, a list such as '
                              'ImageSets/Segmentation/train.txt')
        self.pipeline = Compose(pipeline)
        self.img_dir = _under(data_root, img_dir)
        self.ann_dir = _under(data_root, ann_dir)
        if img_suffix is not None:
            self.img_suffix = img_suffix
        if seg_map_suffix is not None:
            self.seg_map_suffix = seg_map_suffix
        if seg_map_key is not None:
            self.seg_map_key = seg_map_key
        self.split = _under(data_root, split)
        self.data_root = data_root
        self.test_mode = test_mode
        self.ignore_index = DEFAULT if ignore_index is None else ignore_index
        if reduce_zero_label is None:
            reduce_zero_label = self.reduce_zero_label
        self.reduce_zero_label = agree_on_zero(owner, reduce_zero_label, self.pipeline)
        self._mask_values = self.label_map = read_label_map(
            owner, self.label_map if label_map is None else label_map)
        self.mask_form = read_mask_form(owner, colour_map, class_files, self.seg_map_key)
        # The settings of the config and the class; those that are None follow the training data.
        self.own_labels = dict(ignore_index=ignore_index, reduce_zero_label=reduce_zero_label,
                               label_map=None if label_map is None else self.label_map)
        self.custom_classes = classes is not None
        self._class_choice: tuple[Sequence[str], Sequence[str]] | None = None
        self.CLASSES, self.PALETTE = self.get_classes_and_palette(classes, palette)
        self._settle_labels()
        if is_own(self, 'load_annotations'):
            self._read_list()

    @property
    def img_infos(self) -> list[ImgInfo]:
        """A dict for each sample, of the form that `load_annotations` returns."""
        if self._img_infos is None:
            check_list(self)
            self._read_list()
        return self._img_infos

    @img_infos.setter
    def img_infos(self, infos: list[ImgInfo]) -> None:
        self._img_infos = infos

    @cached_property
    def file_client(self) -> FileClient:
        """What reads the files of `img_dir`; data sets for later versions of 0.x ask it."""
        return FileClient.infer_client(uri=self.img_dir)

    def _read_list(self) -> None:
        self.img_infos = self.load_annotations(
            self.img_dir, self.img_suffix, self.ann_dir, self.seg_map_suffix, self.split)
        logger.info('%s: %d images (img_dir %s, split %s)', type(self).__name__,
                    len(self.img_infos), self.img_dir, self.split)

    def __len__(self) -> int:
        return len(self.img_infos)

    def __getitem__(self, idx: int) -> Any:
        """The sample that the pipeline makes; where it drops one in training, a random other."""
        if self.test_mode:
            sample = self.prepare_test_img(idx)
            if sample is None:
                raise DataError(f'{self.img_infos[idx]["filename"]}: the pipeline has dropped the '
                                'image, but in testing every image counts; a step that returns '
                                'None is for training')
            return sample
        for attempt in range(MAX_DROPPED):
            if attempt:
                idx = np.random.randint(len(self))
            name = self.img_infos[idx].get('filename', f'sample {idx}')
            try:
                sample = self.prepare_train_img(idx)
            except LOAD_ERRORS as error:
                error.sample_file = os.path.join(self.img_dir, name)
                raise
            if sample is not None:
                return sample
        raise DroppedSamplesError(
            f'the pipeline has dropped {MAX_DROPPED} images in a row, last '
            f'{self.img_infos[idx]["filename"]}; does a step of it lack `return results`?')

    @standard
    def load_annotations(self, img_dir: str, img_suffix: str, ann_dir: str | None,
                         seg_map_suffix: str, split: str | None) -> list[ImgInfo]:
        """A dict for each sample: dict(filename=..., ann=dict(seg_map=...))."""
        return list_samples(img_dir, img_suffix, ann_dir, seg_map_suffix, split)

    def check_files(self, may_be_missing: bool = False) -> None:
        """Raise DataError where folders or the list do not exist, or hold no image.

        The first files are looked for as well, unless files `may_be_missing`.
        """
        check_folders(self)
        check_samples(self, look=not may_be_missing)

    def get_ann_info(self, idx: int) -> dict[str, str]:
        """The mask of a sample, dict(seg_map=...); empty without masks."""
        return self.img_infos[idx].get('ann', {})

    def pre_pipeline(self, results: dict[str, Any]) -> None:
        """Add the settings of the data set that the steps of the pipeline use."""
        results.update(
            seg_fields=[],
            img_prefix=self.img_dir,
            seg_prefix=self.ann_dir,
            ignore_index=self.ignore_index,
            reduce_zero_label=self.reduce_zero_label)
        if self.label_map is not None:
            results['label_map'] = self.label_map
        if self.CLASSES is not None:
            results['num_classes'] = len(self.CLASSES)
        # Plain values, which a cache can compare.
        results.update((name, value) for name, value in vars(self.mask_form).items()
                       if value is not None)

    def prepare_train_img(self, idx: int) -> Any:
        """Load a sample with its mask."""
        results = dict(img_info=self.img_infos[idx], ann_info=self.get_ann_info(idx))
        self.pre_pipeline(results)
        return self.pipeline(results)

    def prepare_test_img(self, idx: int) -> Any:
        """Load a sample without its mask."""
        results = dict(img_info=self.img_infos[idx])
        self.pre_pipeline(results)
        return self.pipeline(results)

    def get_original_image(self, idx: int) -> np.ndarray:
        """The image [H, W] or [H, W, C] of a sample, before the first step that changes it.

        It comes from `prepare_test_img`, which a subclass may override, or from the loading step.
        """
        steps = self.pipeline.transforms
        load = steps[image_loader(steps)]
        loading = copy.copy(self)
        loading.pipeline = lambda results: results if 'img' in results else load(results)
        return loading.prepare_test_img(idx)['img']

    @standard
    def get_gt_seg_map(self, idx: int) -> np.ndarray:
        """Class indices [H, W] of a sample, as training sees them."""
        info = self.get_ann_info(idx)
        if 'seg_map' not in info or self.ann_dir is None:
            raise DataError(f'{type(self).__name__} has no masks to compare with; give it ann_dir, '
                            'or predict without scores: --format-only or --show-dir DIR')
        path = os.path.join(self.ann_dir, info['seg_map'])
        client = FileClient.infer_client(uri=path)
        label, _ = self.mask_form.read(path, lambda file: bytes(client.get(file)),
                                       ignore_index=self.ignore_index)
        return remap_labels(label, self.label_map, self.reduce_zero_label, self.ignore_index)

    @standard
    def get_gt_seg_map_by_idx(self, index: int) -> np.ndarray:
        """`get_gt_seg_map` by its other name."""
        return self.get_gt_seg_map(index)

    def get_classes_and_palette(
        self, classes: str | Sequence[str] | None = None, palette: Palette | None = None
    ) -> tuple[Sequence[str] | None, Palette | None]:
        """Names and colours of the classes in use, which may be some of CLASSES."""
        if self.CLASSES is not None:
            check_own_classes(type(self).__name__, self.CLASSES)
        if classes is None:
            if self.CLASSES is None:
                return None, palette
            palette = self.PALETTE if palette is None else palette
            return self.CLASSES, choose_palette(self.CLASSES, palette)
        wanted = read_classes(classes, self.CLASSES)
        if self.CLASSES is not None:
            self._class_choice = self.CLASSES, wanted
        return wanted, self.get_palette_for_custom_classes(wanted, palette)

    def get_palette_for_custom_classes(self, class_names: Sequence[str],
                                       palette: Palette | None = None) -> Palette:
        """Colours of the chosen classes: `palette`, or PALETTE, or without either VOC's."""
        if palette is not None:
            return choose_palette(class_names, palette)
        return choose_palette(class_names, self.PALETTE, self.CLASSES)

    def follow_labels(self, ignore_index: int | None, reduce_zero_label: bool | None) -> None:
        """Take over labels of the training data (None: unknown) where neither config nor class
        set them.
        """
        if self.own_labels['ignore_index'] is None and ignore_index is not None:
            self.ignore_index = ignore_index
        if self.own_labels['reduce_zero_label'] is None and reduce_zero_label is not None:
            self.reduce_zero_label = agree_on_zero(
                type(self).__name__, reduce_zero_label, self.pipeline)
        self._settle_labels()

    def _settle_labels(self) -> None:
        """Number the chosen classes, and check that every label is a class or ignored."""
        names = self.CLASSES
        if self._class_choice is not None:
            names, wanted = self._class_choice
            self.label_map = subset_label_map(
                names, wanted, self.ignore_index, self.reduce_zero_label, self._mask_values)
        if names is not None:
            check_labels(self, len(names))


def _under(root: str | None, path: str | None) -> str | None:
    """A relative path of the disk joined to the root."""
    if root is None or path is None or is_remote(path):
        return path
    return os.path.join(root, path)
