"""Arguments that earlier versions of mmcv called otherwise."""
import logging
from typing import Any

from mmcv_replace.utils import warn_once


def take(component: str, options: dict[str, Any], old: str, new: str, value: Any) -> Any:
    """Remove `old` from `options` and return what it is set to, with a warning, or else `value`."""
    if old not in options:
        return value
    warn_once(f'{component}: {old} is an old name, use {new}', logging.getLogger('mmseg.cnn'))
    return options.pop(old)


def tell_unused(component: str, options: dict[str, Any]) -> None:
    """Warn of options that the component does not have."""
    if options:
        warn_once(f'{component} does not use {", ".join(options)}', logging.getLogger('mmseg.cnn'))
