"""Modules with configurable initialisation of their weights."""
import copy
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import initialize
from mmcv_replace.cnn.utils.init_info import recorded_init, update_init_info


class BaseModule(nn.Module):
    """nn.Module with `init_cfg`, one initializer config or several (see `cnn.initialize`).

    The constructor draws torch's default weights; `init_weights` then applies `init_cfg` to the
    module and continues with its children, unless `init_cfg` loaded a checkpoint.
    """

    def __init__(self, init_cfg: dict | Sequence[dict] | None = None) -> None:
        super().__init__()
        self.init_cfg = copy.deepcopy(init_cfg)
        self._is_init = False

    @property
    def is_init(self) -> bool:
        """Whether `init_weights` has run."""
        return self._is_init

    @property
    def is_pretrained(self) -> bool:
        """Whether `init_cfg` loads a checkpoint."""
        configs = [self.init_cfg] if isinstance(self.init_cfg, Mapping) else self.init_cfg or []
        return any(cfg.get('type') == 'Pretrained' for cfg in configs)

    def init_weights(self) -> None:
        """Apply `init_cfg`, outer modules before inner ones; a second call does nothing."""
        if self._is_init:
            return
        with recorded_init(self):
            if self.init_cfg:
                initialize(self, self.init_cfg)
            if not self.is_pretrained:
                _init_children(self)
        self._is_init = True

    def __repr__(self) -> str:
        text = super().__repr__()
        return f'{text}\ninit_cfg={self.init_cfg}' if self.init_cfg else text

    def adapt_state_dict(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """Rename or reshape foreign weights to this module's keys; applied before Pretrained."""
        return state_dict


def _init_children(module: nn.Module) -> None:
    for child in module.children():
        if hasattr(child, 'init_weights'):
            child.init_weights()
            if getattr(type(child), 'init_weights', None) is not BaseModule.init_weights:
                update_init_info(child, f'`init_weights` of {type(child).__name__}')
        else:
            _init_inside(child)


def _init_inside(plain: nn.Module) -> None:
    """Apply each init_cfg inside; other modules keep what their constructors or outer ones drew."""
    for child in plain.children():
        if isinstance(child, BaseModule) and child.init_cfg:
            child.init_weights()
        else:
            _init_inside(child)


class Sequential(BaseModule, nn.Sequential):
    """nn.Sequential with `init_cfg`."""

    runs_in_order = True

    def __init__(self, *args: nn.Module, init_cfg: dict | Sequence[dict] | None = None) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.Sequential.__init__(self, *args)


class ModuleList(BaseModule, nn.ModuleList):
    """nn.ModuleList with `init_cfg`."""

    def __init__(self, modules: Iterable[nn.Module] | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleList.__init__(self, modules)


class ModuleDict(BaseModule, nn.ModuleDict):
    """nn.ModuleDict with `init_cfg`."""

    def __init__(self, modules: Mapping[str, nn.Module] | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleDict.__init__(self, modules)
