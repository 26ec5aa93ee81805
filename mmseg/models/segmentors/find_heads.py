"""The heads of a model, and what each needs of a training batch."""
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..decode_heads.decode_head import BaseDecodeHead

PLACES = ('decode_head', 'auxiliary_head')
COLLECT = "`keys` of the step 'Collect' in data.train.pipeline"


def named_heads(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """(place, head) for the heads of a model, such as ('auxiliary_head.0', FCNHead(...)).

    A head is a BaseDecodeHead, or, of another class, the outermost module with `num_classes`
    in `decode_head` or `auxiliary_head`.
    """
    found = ()
    for name, module in model.named_modules():
        if name.startswith(found):
            continue
        foreign = name.split('.')[0] in PLACES and isinstance(
            getattr(module, 'num_classes', None), int)
        if foreign or isinstance(module, BaseDecodeHead):
            found += (f'{name}.',)
            yield name, module


def select_targets(head: nn.Module, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of `targets`, entries of the batch, that a head names in `extra_targets`.

    Raises ConfigError for a missing one.
    """
    wanted = getattr(head, 'extra_targets', ())
    for key in wanted:
        if key not in targets:
            raise ConfigError(f'{type(head).__name__} is trained on {key!r}, which the batch does '
                              f'not hold: add {key!r} to {COLLECT}, behind a step that makes it')
    return {key: targets[key] for key in wanted}


def check_targets_are_used(model: nn.Module, targets: Mapping[str, Tensor]) -> None:
    """Raise ConfigError for one of `targets`, entries of the batch, that no head names."""
    used = {key for _, head in named_heads(model) for key in getattr(head, 'extra_targets', ())}
    for key in targets.keys() - used:
        raise ConfigError(f'the batch holds {key!r}, on which no head is trained: remove it from '
                          f'{COLLECT}')
