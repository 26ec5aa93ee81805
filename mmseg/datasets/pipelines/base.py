"""What every step of a pipeline is."""
from collections.abc import Callable
from typing import Any

Results = dict[str, Any]
Step = Callable[[Results], Results | None]


class Transform:
    """One step: gets the dict of a sample, returns it changed, or None to drop the sample.

    A step of your own need not derive from this class; any callable of that kind will do.
    """

    def __call__(self, results: Results) -> Results | None:
        raise NotImplementedError

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items()
                             if not name.startswith('_'))
        return f'{type(self).__name__}({settings})'
