"""One row a schedule: 'Poly' is PolyLrUpdaterHook, and `policy='poly'` in lr_config."""
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import policies
from .checks import check_all_periods, check_cycles, check_periods, check_start, check_step

GIVEN = ('base', 'progress', 'total')  # parameters of a function that are no options


@dataclass(frozen=True)
class Policy:
    """A schedule: its function (see policies.py) and what the hooks have to know about it.

    `check(name_of_the_hook, **options)` raises ConfigError for options that make no sense, and
    `check_length(hook, total)` for those that do not fit the length of the run. `falls`:
    whether it is meant to lead down from the base value, so that a rise is worth a warning.
    `by_iteration`: it cannot count epochs. `momentum`: the defaults that differ for a momentum;
    None if there is no such schedule of the momentum.
    """

    function: Callable[..., float]
    check: Callable[..., None] | None = None
    check_length: Callable[[Any, int], None] | None = None
    falls: bool = True
    by_iteration: bool = False
    momentum: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        assert [*self.parameters][:2] == ['base', 'progress'], (
            f'{self.function.__name__} has to take `base` and `progress` first')

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Those of the function, by name."""
        return dict(inspect.signature(self.function).parameters)

    @cached_property
    def options(self) -> list[inspect.Parameter]:
        """The function's options, without the minimum."""
        return [parameter for name, parameter in self.parameters.items()
                if name not in (*GIVEN, 'minimum')]


# OneCycle, whose values are its own and not the optimizer's, is a class in each of lr_updater.py
# and momentum_updater.py.
POLICIES = {
    'Fixed': Policy(policies.fixed, falls=False),
    'Step': Policy(policies.step, check_step, momentum={'gamma': 0.5}),
    'Exp': Policy(policies.exponential),
    'Poly': Policy(policies.poly),
    'Inv': Policy(policies.inverse),
    'CosineAnnealing': Policy(policies.cosine, momentum={}),
    'LinearAnnealing': Policy(policies.linear, momentum={}),
    'FlatCosineAnnealing': Policy(policies.flat_cosine, check_start),
    'CosineRestart': Policy(policies.cosine_restart, check_periods, check_all_periods),
    'Cyclic': Policy(policies.cyclic, check_cycles, falls=False, by_iteration=True,
                     momentum={'target_ratio': (0.85 / 0.95, 1.0), 'gamma': 1.0}),
}
