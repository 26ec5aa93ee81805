"""The hook classes of the schedules in schedules/table.py, such as PolyLrUpdaterHook."""
import inspect
from typing import Any

from ..hook import HOOKS
from ..schedules.checks import check_one_of
from ..schedules.table import POLICIES, Policy
from .schedule_hook import ScheduleHook

_SELF = inspect.Parameter('self', inspect.Parameter.POSITIONAL_OR_KEYWORD)
_KWARGS = inspect.Parameter('kwargs', inspect.Parameter.VAR_KEYWORD, annotation=Any)


def policy_hooks(base: type[ScheduleHook]) -> dict[str, type[ScheduleHook]]:
    """The registered hook class of each policy for what `base` sets, by the name of the class."""
    hooks = {}
    for name, policy in POLICIES.items():
        defaults = policy.momentum if base.scheduled == 'momentum' else {}
        if defaults is not None:
            hook = policy_hook(base, name, policy, defaults)
            hooks[hook.__name__] = HOOKS.register_module()(hook)
    return hooks


def policy_hook(base: type[ScheduleHook], name: str, policy: Policy,
                defaults: dict[str, Any] | None = None) -> type[ScheduleHook]:
    """The hook of one policy, called `name` + the name of `base`; takes their options together.

    `defaults` replace those of the policy's function. The class is as one that is written by hand:
    its signature, docstring and module are those that error messages and help show.
    """
    class_name = f'{name}{base.__name__}'
    own = _arguments(base, policy, defaults or {})
    signature = inspect.Signature([_SELF, *own, _KWARGS], return_annotation=None)

    def __init__(self: ScheduleHook, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values, rest = bound.arguments, bound.arguments['kwargs']
        if policy.by_iteration:
            rest['by_epoch'] = values['by_epoch']
        base.__init__(self, **rest)
        vars(self).update({argument.name: values[argument.name] for argument in own})
        _check(self, policy)

    __init__.__signature__ = signature
    __init__.__qualname__ = f'{class_name}.__init__'
    __init__.__module__ = base.__module__
    return type(class_name, (base,), {
        '__init__': __init__, '__doc__': policy.function.__doc__, '__module__': base.__module__,
        'policy': policy, 'falls': policy.falls})


def _arguments(base: type[ScheduleHook], policy: Policy,
               defaults: dict[str, Any]) -> list[inspect.Parameter]:
    """The arguments of a policy's hook beside those of `base`."""
    found = [option.replace(default=defaults.get(option.name, option.default))
             for option in policy.options]
    minimum = policy.parameters.get('minimum')
    if minimum is not None:
        minimum = minimum.replace(name=f'min_{base.scheduled}',
                                  kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if minimum.default is inspect.Parameter.empty:
            minimum = minimum.replace(default=None, annotation=float | None)
            found += [minimum, minimum.replace(name=f'{minimum.name}_ratio')]
        else:
            found.append(minimum)
    if policy.by_iteration:
        found.insert(0, inspect.Parameter('by_epoch', inspect.Parameter.POSITIONAL_OR_KEYWORD,
                                          default=False, annotation=bool))
    return found


def _check(hook: ScheduleHook, policy: Policy) -> None:
    name, key = type(hook).__name__, f'min_{hook.scheduled}'
    if policy.by_iteration:
        hook.require_iterations()
    if hasattr(hook, f'{key}_ratio'):
        check_one_of(name, **{k: getattr(hook, k) for k in (key, f'{key}_ratio')})
    if policy.check is not None:
        policy.check(name, **{option.name: getattr(hook, option.name) for option in policy.options})
