"""What the doctor needs to know of a data set: which files it reads, and how."""
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from mmseg.core.evaluation.overrides import ALL_LABELS, BY_INDEX, is_own
from mmseg.core.utils import leaf_datasets

from ..classes import Palette
from ..custom import CustomDataset
from ..file_list import ImgInfo
from ..pipelines import LoadAnnotations, LoadImageFromFile


@dataclass(frozen=True)
class Decoding:
    """How a step reads files: its file client, and `backend` and `flag` of `imfrombytes`.

    A step of the user's own is not `known`: only the existence of its files is checked.
    """

    known: bool = True
    client: dict[str, Any] | None = None
    backend: str | None = None
    flag: str = 'unchanged'


@dataclass(frozen=True)
class Source:
    """One data set of a split: a list of files, and the meaning of their labels."""

    split: str
    owner: str
    img_dir: str
    ann_dir: str | None
    img_suffix: str
    list_file: str | None
    infos: Sequence[ImgInfo]
    image: Decoding
    mask: Decoding
    classes: tuple[str, ...] | None
    palette: Palette | None
    label_map: dict[int, int] | None
    reduce_zero_label: bool
    ignore_index: int

    def __len__(self) -> int:
        return len(self.infos)

    def image_file(self, index: int) -> str:
        return os.path.join(self.img_dir, self.infos[index]['filename'])

    def mask_file(self, index: int) -> str | None:
        """None where the dataset has no masks."""
        mask = self.infos[index].get('ann', {}).get('seg_map')
        return None if mask is None or self.ann_dir is None else os.path.join(self.ann_dir, mask)

    def name(self, index: int) -> str:
        """The name of the sample in a list file."""
        return self.infos[index]['filename'].removesuffix(self.img_suffix)


def find_sources(split: str, dataset: Dataset) -> tuple[list[Source], list[str]]:
    """The data sets of files inside `dataset`, and the types of those that have no files."""
    sources: list[Source] = []
    unknown: list[str] = []
    for leaf in leaf_datasets(dataset):
        if isinstance(leaf, CustomDataset) and all('filename' in info for info in leaf.img_infos):
            sources.append(_source(split, leaf))
        else:
            unknown.append(type(leaf).__name__)
    return sources, unknown


def _source(split: str, dataset: CustomDataset) -> Source:
    return Source(
        split=split,
        owner=type(dataset).__name__,
        img_dir=dataset.img_dir,
        ann_dir=dataset.ann_dir,
        img_suffix=dataset.img_suffix,
        list_file=dataset.split,
        infos=dataset.img_infos,
        image=_image_decoding(dataset),
        mask=_mask_decoding(dataset),
        classes=None if dataset.CLASSES is None else tuple(dataset.CLASSES),
        palette=dataset.PALETTE,
        label_map=dataset.label_map,
        reduce_zero_label=dataset.reduce_zero_label,
        ignore_index=dataset.ignore_index)


def _image_decoding(dataset: CustomDataset) -> Decoding:
    step = _find_step(dataset, LoadImageFromFile)
    if step is None:
        return Decoding(known=False)
    return Decoding(True, step.file_client_args, step.imdecode_backend, step.color_type)


def _mask_decoding(dataset: CustomDataset) -> Decoding:
    """How the data set reads masks: by a step in training, by its own methods in evaluation."""
    if dataset.test_mode:
        own = any(is_own(dataset, name) for name in (*BY_INDEX, ALL_LABELS))
        return Decoding(known=not own, backend='pillow')
    step = _find_step(dataset, LoadAnnotations)
    if step is None:
        return Decoding(known=False)
    return Decoding(True, step.file_client_args, step.imdecode_backend)


def _find_step(dataset: CustomDataset, kind: type) -> Any:
    """The first step of a kind that does not override how the kind loads, or None."""
    return next((step for step in dataset.pipeline.transforms
                 if isinstance(step, kind) and type(step).__call__ is kind.__call__), None)
