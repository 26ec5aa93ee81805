"""Options of a command line for the values of a config."""
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any


def add_options(parser: ArgumentParser, cfg: Mapping[str, Any], prefix: str = '--') -> None:
    """Add an option for each number, text and list of a config; those of dicts are dotted.

    An option takes what int, float or str makes of its text, of a list several of the type of its
    first entry. Values of other types, such as None, have no option.
    """
    for key, value in cfg.items():
        option = f'{prefix}{key}'
        if isinstance(value, dict):
            add_options(parser, value, f'{option}.')
        elif isinstance(value, (int, float, str)):
            parser.add_argument(option, type=_type_of(value))
        elif isinstance(value, (list, tuple)) and value and isinstance(
                value[0], (int, float, str)):
            parser.add_argument(option, type=_type_of(value[0]), nargs='+')


def _type_of(value: float | str) -> type:
    return int if isinstance(value, bool) else type(value)
