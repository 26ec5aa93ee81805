"""Reads the environment variables that launchers set."""
import re
from collections.abc import Iterator, Mapping


class ClusterError(ValueError):
    """The environment does not determine the part of a job; callers turn it into a ConfigError."""


class Variables:
    """The environment variables; empty ones count as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {name: value.strip() for name, value in environ.items() if value.strip()}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def has(self, *names: str) -> bool:
        """Whether all of these variables are set."""
        return all(name in self._values for name in names)

    def text(self, *names: str) -> str | None:
        """Value of the first of these variables that is set."""
        return next((self._values[name] for name in names if name in self._values), None)

    def number(self, *names: str, lowest: int = 0) -> int | None:
        """Value of the first of these variables that is set; ClusterError if it is no number."""
        name = next((name for name in names if name in self._values), None)
        if name is None:
            return None
        value = self._values[name]
        if not re.fullmatch('[0-9]+', value) or int(value) < lowest:
            raise ClusterError(f'{name}={value} is not a whole number from {lowest}')
        return int(value)

    def listing(self, pattern: str) -> str:
        """The variables whose names match, with their values, for an error message."""
        return ' '.join(f'{name}={self._values[name]}' for name in sorted(self._values)
                        if re.fullmatch(pattern, name)) or 'nothing'
