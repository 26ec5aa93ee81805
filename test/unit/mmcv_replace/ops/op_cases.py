"""What the tests that hold for every operator know of each: its inputs and a slow form.

A new operator is a file in the folder cases, with the name of its module in mmcv_replace.ops or
mmseg.ops, and a list CASES.
"""
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_flatten

FOLDER = Path(__file__).with_name('cases')
LOW = {torch.float16: 2 ** -10, torch.bfloat16: 2 ** -7}  # steps between numbers near 1


@dataclass
class Case:
    """A call of an operator, `run(*inputs())`.

    `inputs()` are tensors in float64, and integers, with values that the precisions in LOW hold
    exactly, as `uniform` gives, where the result is not continuous in them. Of floating tensors
    whose place is in `constant` no gradient is wanted. `plain(*inputs())` is the slow form, with
    loops, whose gradients autograd finds.
    """

    name: str
    run: Callable
    inputs: Callable[[], Sequence[Tensor]]
    plain: Callable
    constant: Sequence[int] = ()
    fixed_type: Sequence[int] = ()  # places of inputs that stay in float32 in low precision
    differentiable: bool = True
    low_precision: float = 8  # largest error, in steps of the type at the largest value
    waits: int = 0  # times that the host must read from the device
    export: str | None = None  # why it cannot be exported; None where it can
    trace: str | None = None  # why the older exporter, which traces, cannot export it
    compiles: str | None = None  # why it cannot be compiled in one graph


def files() -> dict[str, list[Case]]:
    """The cases of all operators, by the names of their files."""
    return {path.stem: import_module(f'.cases.{path.stem}', __package__).CASES
            for path in sorted(FOLDER.glob('*.py'))}


def load() -> list[Case]:
    """The cases of all operators."""
    return [case for cases in files().values() for case in cases]


def with_state(module: nn.Module, state: dict[str, Tensor], *inputs: object) -> Tensor:
    """Result of a module with other parameters: functional_call, which torch.jit.trace refuses."""
    if not torch.jit.is_tracing():
        return functional_call(module, state, inputs)
    former = []
    for name, value in state.items():
        place, _, own = name.rpartition('.')
        owner = module.get_submodule(place)
        table = owner._parameters if own in owner._parameters else owner._buffers
        former.append((table, own, table[own]))
        table[own] = value
    try:
        return module(*inputs)
    finally:
        for table, own, value in former:
            table[own] = value


def uniform(*shape: int, seed: int = 0) -> Tensor:
    """Values between -1 and 1 in float64, which bfloat16 holds exactly."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-127, 128, shape, generator=generator) / torch.tensor(128.).double()


def tensors(result: object) -> list[Tensor]:
    """The tensors in a result, as a flat list."""
    return [value for value in tree_flatten(result)[0] if isinstance(value, Tensor)]


def place(case: Case, device: str = 'cpu', dtype: torch.dtype = torch.float64,
          gradients: bool = True) -> list:
    """The inputs on a device, in a type, leaves of the graph where gradients are wanted."""
    placed = []
    for i, value in enumerate(case.inputs()):
        if isinstance(value, Tensor):
            kept = dtype if i not in case.fixed_type or dtype not in LOW else torch.float32
            value = value.to(kept) if value.is_floating_point() else value
            value = value.to(device).detach()
            if case.differentiable and gradients and i not in case.constant:
                value.requires_grad_(value.is_floating_point())
        placed.append(value)
    return placed


def gradients(inputs: Sequence, results: Sequence[Tensor],
              watch: AbstractContextManager | None = None, keep: bool = False) -> list[Tensor]:
    """Gradients of a fixed weighted sum of the results, within the context `watch`.

    `keep` keeps the graph for another backward pass.
    """
    wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    results = [y for y in results if y.requires_grad]
    if not wanted or not results:
        return []
    weights = [uniform(*y.shape, seed=7).to(y.dtype).to(y.device) for y in results]
    with watch or nullcontext():
        return list(torch.autograd.grad(results, wanted, weights, retain_graph=keep))


def outcome(case: Case, run: Callable, inputs: Sequence) -> list[Tensor]:
    """Results and gradients, as one list."""
    results = tensors(run(*inputs))
    return [y.detach() for y in results] + gradients(inputs, results)


def close(found: Sequence[Tensor], expected: Sequence[Tensor], relative: float) -> None:
    """Compare with the largest value of each tensor as the scale."""
    assert len(found) == len(expected)
    for own, other in zip(found, expected, strict=True):
        assert own.shape == other.shape
        if not other.is_floating_point():
            assert torch.equal(own.cpu(), other.cpu())
        elif other.numel():
            error = (own.cpu().double() - other.cpu().double()).abs().max()
            scale = other.abs().max().double().cpu()
            assert error <= relative * max(scale, 1e-3), f'{error:.3g} of {scale:.3g}'
