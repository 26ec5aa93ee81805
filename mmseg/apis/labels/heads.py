"""Whether every label of the data is a class of the heads, or the value that they ignore."""
from collections.abc import Iterator

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils import warn_once
from mmseg.core.utils import leaf_datasets
from mmseg.datasets.label_settings import all_steps
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.pipelines.ignored import LabelFiller
from mmseg.models.decode_heads.find_heads import named_heads

# (value, data set or step that has it, name of the setting)
Special = tuple[int, str, str]


def head_clashes(model: nn.Module, split: str, dataset: Dataset, strict: bool) -> Iterator[str]:
    """Messages about heads and losses whose configured `ignore_index` contradicts the data.

    Those without a configured one take over the data set's first. A value of the data that is
    neither a class nor ignored would end in an index error. One that is a class of the head would
    be learned: a clash if `strict`, else a warning.
    """
    ignore_index = getattr(dataset, 'ignore_index', None)
    for name, head in named_heads(model):
        if isinstance(ignore_index, int) and hasattr(head, 'follow_ignore_index'):
            head.follow_ignore_index(ignore_index)
        ignored = (head.ignored_labels() if hasattr(head, 'ignored_labels')
                   else {'': getattr(head, 'ignore_index', None)})
        for part, own in ignored.items():
            for special in dict.fromkeys(_special_values(split, dataset)):
                if isinstance(own, int):
                    yield from _clashes(head, f'model.{name}{part}', own, special, strict)


def _clashes(head: nn.Module, place: str, ignored: int, special: Special,
             strict: bool) -> Iterator[str]:
    value, owner, setting = special
    classes = head.num_classes
    if value == ignored:
        return
    clash = f'{setting}={value} of {owner}, but {place}.ignore_index={ignored}'
    remedy = (f'set {place}.ignore_index={value}, leave it out, which follows the data, or set '
              f'{setting}={ignored}')
    if value >= classes or (value < 0 and not _ignores_negative(head)):
        yield (f'{clash}: its loss would meet the label {value}, which is none of its {classes} '
               f'classes; {remedy}')
    elif setting == 'ignore_index' and value >= 0:
        text = (f'{clash}: the head would learn the label {value} as a class, and the evaluation '
                f'ignores it; {remedy}')
        if strict:
            yield text
        else:
            warn_once(text)


def _ignores_negative(head: nn.Module) -> bool:
    return any(getattr(module, 'use_sigmoid', False) for module in head.modules())


def _special_values(split: str, dataset: Dataset) -> Iterator[Special]:
    """Values that the labels of a dataset may have beside its classes."""
    for part in leaf_datasets(dataset):
        owner = f'data.{split} ({type(part).__name__})'
        if isinstance(getattr(part, 'ignore_index', None), int):
            yield part.ignore_index, owner, 'ignore_index'
        pipeline = getattr(part, 'pipeline', None)
        for step in all_steps(pipeline) if isinstance(pipeline, Compose) else ():
            if isinstance(step, LabelFiller) and step.seg_pad_val is not None:
                yield step.seg_pad_val, f'{type(step).__name__} in {owner}', 'seg_pad_val'
