"""A record of what gave each parameter its first value, for the log at level DEBUG."""
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from mmcv_replace.utils.errors import ConfigError

_RECORD = '_params_init_info'


@contextmanager
def recorded_init(module: nn.Module) -> Iterator[None]:
    """A block that initialises `module`; at its end, what each parameter got is logged.

    Nothing happens unless the logger shows messages of level DEBUG, and inside another such block.
    In the block the module and all inside it have `_params_init_info`: parameter -> its
    `init_info`, and the mean of its values, `tmp_mean_value`, by which a change is seen.
    """
    logger = logging.getLogger('mmseg.cnn')
    if not logger.isEnabledFor(logging.DEBUG) or hasattr(module, _RECORD):
        yield
        return
    record = {parameter: dict(
        init_info='not changed by `init_weights` of ' + type(module).__name__,
        tmp_mean_value=parameter.detach().mean()) for parameter in module.parameters()}
    parts = list(module.modules())
    for part in parts:
        setattr(part, _RECORD, record)
    try:
        yield
    finally:
        for part in parts:
            delattr(part, _RECORD)
    logger.debug('initial weights:\n%s', '\n'.join(
        f'{name} {tuple(parameter.shape)}: {record[parameter]["init_info"]}'
        for name, parameter in module.named_parameters() if parameter in record))


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Record `init_info` for those parameters of `module` whose mean has changed.

    Does nothing where nothing is recorded. Raises ConfigError for a parameter that is newer than
    the record.
    """
    record = getattr(module, _RECORD, None)
    if record is None:
        return
    for name, parameter in module.named_parameters():
        if parameter not in record:
            raise ConfigError(f'{type(module).__name__}: parameter {name!r} was replaced while the '
                              'weights were initialised; write its values in place')
        mean = parameter.detach().mean()
        if record[parameter]['tmp_mean_value'] != mean:
            record[parameter].update(init_info=init_info, tmp_mean_value=mean)
