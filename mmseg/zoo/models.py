"""The models of configs/, by name, with what was published of them in configs/results.json."""
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import mmseg
from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmcv_replace.utils.suggest import did_you_mean

if TYPE_CHECKING:
    from mmcv_replace.runner.checkpoints.download import Watch

_PACKAGE = Path(mmseg.__file__).resolve().parent
# Inside the package in a wheel, and beside it in a checkout.
CONFIG_FOLDER = next((folder for folder in (_PACKAGE / 'configs', _PACKAGE.parent / 'configs')
                      if folder.is_dir()), _PACKAGE.parent / 'configs')
LICENCE = ('The weights are published by OpenMMLab under the Apache License 2.0. They were trained '
           'on data sets\nwith terms of their own (ImageNet, Cityscapes and others allow research '
           'alone): see those before any other use.')


@dataclass(frozen=True)
class PublishedModel:
    """A config of this project; the figures are None where none was published."""

    name: str  # FOLDER/FILE without suffix
    dataset: str | None = None
    schedule: int | None = None  # iterations
    miou: float | None = None  # percent, at one scale
    miou_multi_scale: float | None = None  # percent, at several scales and mirrored
    memory: float | None = None  # GB of a device in training
    weights: str | None = None  # address
    published_as: str | None = None  # the name of figures and weights, where that is another
    dice: float | None = None  # percent, of the vessels alone, where no mIoU was published

    def names(self) -> list[str]:
        """What finds the model: its name and that of its weights, with and without the folder."""
        names = [name for name in (self.name, self.published_as) if name]
        return names + [name.rpartition('/')[2] for name in names]

    @property
    def score(self) -> str:
        """The published score in words, empty where there is none."""
        if self.miou is not None:
            return f'mIoU {self.miou:.2f}'
        return '' if self.dice is None else f'Dice {self.dice:.2f}'

    @property
    def config(self) -> Path:
        """The config file."""
        return CONFIG_FOLDER / f'{self.name}.py'

    @property
    def file(self) -> Path | None:
        """Where the weights are kept once they are downloaded."""
        # Here, since every command imports this file, and torch takes a second.
        from mmcv_replace.runner.checkpoints.pretrained import cache_path
        return None if self.weights is None else cache_path(self.weights)

    def fetch(self, folder: str | Path | None = None, watch: 'Watch | None' = None) -> Path:
        """The file of the weights, downloaded unless it is there; see `resolve_checkpoint`.

        Raises CheckpointError where none were published, and where they cannot be had.
        """
        from mmcv_replace.runner.checkpoints.pretrained import resolve_checkpoint
        return resolve_checkpoint(self.address(), folder, watch=watch)

    def address(self) -> str:
        """Address of the weights; CheckpointError where none were published."""
        if self.weights is None:
            raise CheckpointError(f'no weights of {self.name} were published: train it, python '
                                  f'tools/train.py {self.name}, or choose another model of '
                                  'python tools/model_zoo.py list')
        return self.weights


@cache
def published_models() -> dict[str, PublishedModel]:
    """All models by their names, FOLDER/FILE, in their order."""
    published = json.loads((CONFIG_FOLDER / 'results.json').read_text(encoding='utf-8'))
    results = published['results'] | published['renamed']
    names = sorted(str(file.relative_to(CONFIG_FOLDER).with_suffix('').as_posix())
                   for file in CONFIG_FOLDER.glob('[!_]*/*.py') if file.name != '__init__.py')
    return {name: _model(name, results.get(name, {})) for name in names}


def _model(name: str, row: dict) -> PublishedModel:
    return PublishedModel(name, row.get('dataset'), row.get('lr schd'), row.get('mIoU'),
                          row.get('mIoU(ms+flip)'), row.get('train_mem_gb'), row.get('weights'),
                          row.get('published_as'), row.get('Dice'))


def find_model(name: str) -> PublishedModel | None:
    """The model of a name, FILE or FOLDER/FILE without suffix; None for what looks like a path.

    The name under which the weights were published finds the model, too. Raises ConfigError with
    similar names for a name that no model has.
    """
    if Path(name).suffix in ('.py', '.json', '.yaml', '.yml') or Path(name).is_file():
        return None
    parts = name.split('/')
    models = published_models()
    found = [model for model in models.values() if name in model.names()]
    if len(found) == 1:
        return found[0]
    if len(parts) > 2 or not all(parts):
        return None
    short = [known for model in models.values() for known in model.names()
             if known.count('/') == len(parts) - 1]
    raise ConfigError(f'{name!r} is neither a config file nor the name of a model'
                      f'{did_you_mean(name, short)}; python tools/model_zoo.py list shows all')


def published_weights(config: str) -> str:
    """Address of the weights of a model, for a command that was given no checkpoint.

    Raises ConfigError where `config` is a file and not a name.
    """
    model = find_model(config)
    if model is None:
        raise ConfigError(f'give the checkpoint after the config {config}; only of a published '
                          'model, given by its name, are the weights fetched: python '
                          'tools/model_zoo.py list')
    return model.address()


def matching(models: Iterable[PublishedModel], words: Iterable[str]) -> list[PublishedModel]:
    """The models with all of the words in their names or data set, in any case."""
    wanted = [word.lower() for word in words]
    return [model for model in models
            if all(word in f'{" ".join(model.names())} {model.dataset or ""}'.lower()
                   for word in wanted)]
