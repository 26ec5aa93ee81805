"""Build the component that a config describes, and name what is wrong with its arguments."""
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..checks.signature import check_arguments, check_values, explain_type_error
from ..checks.type_check import is_annotated
from ..config.config_dict import ConfigDict
from ..error_origin import is_out_of_memory
from ..errors import (
    BAD_VALUES,
    ArgumentError,
    ConfigError,
    ConfigKeyError,
    ConfigTypeError,
    UserError,
    add_note,
    has_note,
)
from ..suggest import short

if TYPE_CHECKING:
    from .registry import Registry

_IN_PART = 'while building '


def full_name(module: Callable[..., Any]) -> str:
    """Module and name of a class or function."""
    return f'{module.__module__}.{module.__qualname__}'


def find_component(cfg: dict[str, Any], registry: 'Registry',
                   default_args: dict[str, Any] | None = None,
                   ) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The class that `type` names (or is), and all entries of `cfg` over those of `default_args`.

    Raises a ConfigError for what is no such dict, RegistryError for an unknown name.
    """
    if not hasattr(registry, 'register_module'):
        raise ArgumentError(f'what a config describes is looked up in a Registry, not {registry!r}')
    if not isinstance(cfg, dict):
        raise ConfigTypeError(
            f"a {registry.name} is described by a dict with a 'type', not by {cfg!r}")
    if not isinstance(default_args, dict | None):
        raise ArgumentError(f'default_args is a dict or None, not {default_args!r}')
    args = {**(default_args or {}), **cfg}
    if 'type' not in args:
        raise ConfigKeyError(f'a {registry.name} must contain the key "type": {cfg!r}')
    kind = args['type']
    if not (isinstance(kind, str) or callable(kind)):
        raise ConfigTypeError(f"the 'type' of a {registry.name} is a name or a class, not {kind!r}")
    return registry.find(kind) if isinstance(kind, str) else kind, args


def build_from_cfg(cfg: dict[str, Any], registry: 'Registry',
                   default_args: dict[str, Any] | None = None) -> Any:
    """Call the class that `cfg['type']` names (or is) with the other entries as arguments.

    `default_args` fill in what `cfg` leaves out. Raises ArgumentError for unknown and missing
    arguments and, where the component is annotated, for values of a wrong type; raises ConfigError
    for other values from which it cannot be built. Any other error passes, with a note that names
    the component.
    """
    component, args = find_component(cfg, registry, default_args)
    kind = args.pop('type')
    label = f'{registry.name} {kind if isinstance(kind, str) else full_name(kind)!r}'

    def origin(key: str) -> str | None:
        return cfg.origin(key) if isinstance(cfg, ConfigDict) else None

    check_arguments(label, component, args, origin)
    try:
        built = component(**args)
    except Exception as error:
        explained = None
        if isinstance(error, TypeError) and not isinstance(error, UserError):
            explained = explain_type_error(error, label, component, args, origin)
        if explained is None and not _is_explained(error):
            check_values(label, component, args, origin)
        if explained is None and _is_bad_setting(error, component):
            explained = (ArgumentError if isinstance(error, TypeError) else ConfigError)(
                f'{label} cannot be built from {short(dict(cfg), 300)}: '
                f'{type(error).__name__}: {error}')
        if explained is not None:
            raise explained from error
        add_note(error, _IN_PART + label)
        raise
    # Last, since the component's own messages are better than the name of a type.
    check_values(label, component, args, origin)
    return built


def _is_explained(error: Exception) -> bool:
    """Whether an error is meant for users already, or comes from a component inside this one."""
    return isinstance(error, UserError) or has_note(error, _IN_PART)


def _is_bad_setting(error: Exception, component: Callable[..., Any]) -> bool:
    """Whether an error comes from the values in the config, and not from a fault of the code."""
    if _is_explained(error) or is_out_of_memory(error) or not is_annotated(component):
        return False
    # torch's own classes refuse values by errors of many kinds.
    of_torch = str(component.__module__).partition('.')[0] == 'torch'
    return isinstance(error, (*BAD_VALUES, TypeError, RuntimeError) if of_torch else BAD_VALUES)
