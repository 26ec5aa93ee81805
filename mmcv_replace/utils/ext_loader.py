"""mmcv's access to its compiled extensions, of which there are none here."""
from collections.abc import Sequence
from typing import NoReturn


def check_ops_exist() -> bool:
    """Whether the operators of `mmcv.ops` can be used: always, nothing of them is compiled."""
    return True


def load_ext(name: str, funcs: Sequence[str]) -> NoReturn:
    """Raise ModuleNotFoundError, as mmcv does where its extension `name` is not built."""
    raise ModuleNotFoundError(
        f'mmcv.{name}, with {", ".join(funcs)}, is a compiled extension, and nothing is compiled '
        'here: mmcv.ops has the operators that are available', name=f'mmcv.{name}')
