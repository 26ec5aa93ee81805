"""Whether the labels of the data are the classes of the heads, or the value that they ignore."""
from collections.abc import Iterator

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import inner_datasets, nested_datasets
from mmseg.datasets.masks.label_settings import all_steps
from mmseg.datasets.pipelines.compose import own_pipeline
from mmseg.datasets.pipelines.ignored import LabelFiller, is_set
from mmseg.models.segmentors.find_heads import named_heads

# (value, data set or step that has it, name of the setting)
Special = tuple[int, str, str]


def check_num_classes(model: nn.Module, dataset: object, place: str | None = None) -> None:
    """Raise ConfigError for heads whose number of classes is not the data set's.

    A data set without CLASSES is not checked. `place` names it in the message; by default its type.
    """
    classes = getattr(dataset, 'CLASSES', None)
    if classes is None:
        return
    owner, count, wrong = place or type(dataset).__name__, len(classes), {}
    for name, head in named_heads(model):
        found = head.num_classes
        if getattr(head, 'out_channels', found) == 1:
            _check_binary(name, found, owner, count)
        elif found != count:
            wrong[f'model.{name}'] = found
    if wrong:
        heads = ' and '.join(f'{name} has num_classes={found}' for name, found in wrong.items())
        remedy = ' and '.join(f'{name}.num_classes={count}' for name in wrong)
        raise ConfigError(f'{heads} but {owner} has {count} classes: set {remedy}, or give the '
                          'dataset its own `classes`')


def _check_binary(head: str, num_classes: int, owner: str, count: int) -> None:
    if count == 2:
        return
    text = (f'model.{head} has num_classes={num_classes} and one logit, which tells class 1 from '
            f'class 0, but {owner} has {count} class{"" if count == 1 else "es"}: ')
    if count == 1:
        raise ConfigError(
            f"{text}name both, such as classes=('background', 'crack') with masks of 0 and 1, and "
            f'(1) keep the one logit, or (2) set model.{head}.num_classes=2 with out_channels=None '
            'and a softmax loss, in all heads')
    raise ConfigError(f'{text}set model.{head}.num_classes={count} with out_channels=None and a '
                      'loss for them, or give the dataset two `classes`')


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
    by_sigmoid = any(getattr(module, 'use_sigmoid', False) for module in head.modules())
    if value >= classes or (value < 0 and not by_sigmoid):
        yield (f'{clash}: its loss would meet the label {value}, which is none of its {classes} '
               f'classes; {remedy}')
    elif setting == 'ignore_index' and value >= 0:
        text = (f'{clash}: the head would learn the label {value} as a class, and the evaluation '
                f'ignores it; {remedy}')
        if strict:
            yield text
        else:
            warn_once(text)


def _special_values(split: str, dataset: Dataset) -> Iterator[Special]:
    """Values that the labels of a dataset may have beside its classes."""
    for part in nested_datasets(dataset):
        owner = f'data.{split} ({type(part).__name__})'
        if not inner_datasets(part) and isinstance(getattr(part, 'ignore_index', None), int):
            yield part.ignore_index, owner, 'ignore_index'
        pipeline = own_pipeline(part)
        for step in () if pipeline is None else all_steps(pipeline):
            if isinstance(step, LabelFiller) and is_set(step.seg_pad_val):
                yield step.seg_pad_val, f'{type(step).__name__} in {owner}', 'seg_pad_val'
