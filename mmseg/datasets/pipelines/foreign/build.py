"""Transforms of another library, built from nested configs, and their places in error messages."""
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from mmcv_replace.utils.checks.signature import check_arguments
from mmcv_replace.utils.config.config_dict import ConfigDict
from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError, RegistryError, UserError
from mmcv_replace.utils.suggest import did_you_mean, short


@dataclass(frozen=True)
class Library:
    """What there is to know of a library.

    `owner`: the step that hands samples to it. `module`: where the classes of transforms are, all
    derived from `bases`. `refused`: names of those that no pipeline may hold, with the reason and
    the remedy. `settle`: completes the arguments of a class. `keeps_values`: whether transforms of
    a class do not compute with the values of an image, but move pixels, or hold other transforms.
    """

    owner: str
    module: ModuleType
    bases: tuple[type, ...]
    refused: Mapping[str, str]
    settle: Callable[[type, dict[str, Any]], dict[str, Any]]
    keeps_values: Callable[[type], bool]

    @property
    def package(self) -> str:
        """The name of the top-level package."""
        return self.module.__name__.partition('.')[0]

    def find(self, kind: Any, label: str) -> Callable[..., Any]:
        """The class that the `type` of a config names (or is)."""
        if not isinstance(kind, str):
            if not callable(kind):
                raise ConfigTypeError(f"{label}: the 'type' of a transform is a name or a class")
            return kind
        if kind in self.refused:
            raise ConfigError(f'{label}: {self.refused[kind]}')
        known = {name: entry for name, entry in vars(self.module).items()
                 if isinstance(entry, type) and issubclass(entry, self.bases)}
        if kind not in known:
            raise RegistryError(f'{label}: {self.module.__name__} has no such transform'
                                f'{did_you_mean(kind, set(known) - set(self.refused))}')
        return known[kind]


@dataclass
class Builder:
    """Builds transforms of a library and knows the places of their configs.

    `changing` are the places of those that compute with the values of an image.
    """

    library: Library
    changing: list[str] = field(default_factory=list)
    _places: dict[int, tuple[str, bool]] = field(default_factory=dict)

    def build(self, value: Any, place: str) -> Any:
        """A value of a config in which every dict with a `type` is replaced by its transform."""
        if isinstance(value, dict):
            if 'type' in value:
                return self._build_one(value, place)
            return {key: self.build(part, f'{place}.{key}') for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.build(part, f'{place}[{number}]')
                               for number, part in enumerate(value))
        return value

    def _build_one(self, cfg: dict[str, Any], place: str) -> Any:
        args = {key: value for key, value in cfg.items() if key != 'type'}
        kind = cfg['type']
        name = kind if isinstance(kind, str) else getattr(kind, '__name__', repr(kind))
        label = f'{self.library.owner}: {place} ({name})'
        cls = self.library.find(kind, label)
        check_arguments(label, cls, args,
                        cfg.origin if isinstance(cfg, ConfigDict) else lambda key: None)
        built = {key: self.build(value, f'{place}.{key}') for key, value in args.items()}
        is_foreign = str(cls.__module__).partition('.')[0] == self.library.package
        try:
            made = cls(**self.library.settle(cls, built))
        except Exception as error:  # of any class: that of a library
            if not is_foreign:
                raise
            raise ConfigError(f'{label}: {self.library.package} does not take {short(args, 200)} '
                              f'({_text(error)})') from error
        self._places[id(made)] = label, is_foreign
        if not self.library.keeps_values(cls):
            self.changing.append(f'{place} ({name})')
        return made

    def explain(self, error: Exception, sample: str) -> ConfigError | None:
        """The error of a library for a `sample`, told to users; None for one of another origin."""
        label, is_foreign = self.library.owner, True
        for frame, _ in traceback.walk_tb(error.__traceback__):
            label, is_foreign = self._places.get(
                id(frame.f_locals.get('self')), (label, is_foreign))
        if not is_foreign or isinstance(error, UserError) or is_out_of_memory(error):
            return None
        return ConfigError(f'{label}: {self.library.package} cannot work on {sample} '
                           f'({_text(error)}); see whether its settings and the steps before it '
                           'fit')


def _text(error: Exception) -> str:
    return f'{type(error).__name__}: {" ".join(str(error).split())}'
