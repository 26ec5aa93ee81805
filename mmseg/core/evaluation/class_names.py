"""Names of classes: of well-known data sets, with colours, by 0.x's names; numbers without any."""
import pkgutil
from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import nn

from mmcv_replace.utils.errors import DataError

# Name or alias -> where CLASSES and PALETTE are. The module is imported when it is asked for.
DATASETS = {
    **dict.fromkeys(('voc', 'pascal_voc', 'voc12', 'voc12aug'),
                    'mmseg.datasets.voc:PascalVOCDataset'),
    'cityscapes': 'mmseg.datasets.cityscapes:CityscapesDataset',
    **dict.fromkeys(('ade', 'ade20k'), 'mmseg.datasets.ade:ADE20KDataset'),
    **dict.fromkeys(('pascal_context', 'pcontext'),
                    'mmseg.datasets.pascal_context:PascalContextDataset'),
    **dict.fromkeys(('pascal_context59', 'pcontext59'),
                    'mmseg.datasets.pascal_context:PascalContextDataset59'),
    'chase_db1': 'mmseg.datasets.chase_db1:ChaseDB1Dataset',
    'drive': 'mmseg.datasets.drive:DRIVEDataset',
    'hrf': 'mmseg.datasets.hrf:HRFDataset',
    'stare': 'mmseg.datasets.stare:STAREDataset',
}


def _find(dataset: str) -> Any:
    if dataset not in DATASETS:
        raise DataError(f'no class names are known for the dataset {dataset!r}; choose from '
                        f'{", ".join(DATASETS)}')
    return pkgutil.resolve_name(DATASETS[dataset])


def get_classes(dataset: str) -> list[str]:
    """Class names of a data set, by its name or alias; DataError for an unknown one."""
    return list(_find(dataset).CLASSES)


def get_palette(dataset: str) -> list[list[int]]:
    """RGB colour of each class of a data set, by its name or alias; DataError as above."""
    return [list(colour) for colour in _find(dataset).PALETTE]


voc_classes, voc_palette = partial(get_classes, 'voc'), partial(get_palette, 'voc')
ade_classes, ade_palette = partial(get_classes, 'ade'), partial(get_palette, 'ade')
cityscapes_classes = partial(get_classes, 'cityscapes')
cityscapes_palette = partial(get_palette, 'cityscapes')


def classes_of_model(model: nn.Module) -> int:
    """The number of classes between which a segmentor, or what wraps it, decides; 0 if unknown."""
    number = getattr(getattr(model, 'module', model), 'num_classes', 0)
    return max(number, 2) if number else 0  # two classes may have one logit, and be called one


def names_of(classes: Sequence[str] | None, number: int) -> tuple[str, ...]:
    """The names of classes; where they have none, the numbers from 0 to `number` - 1."""
    return tuple(classes) if classes else tuple(map(str, range(number)))
