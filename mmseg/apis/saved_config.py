"""The config that a file of data carries: a checkpoint, or a batch to be run again."""
from pathlib import Path

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.saved_text import read_literal_config
from mmcv_replace.utils.errors import ConfigError


def read_saved_config(text: str, file: str | Path, remedy: str) -> Config:
    """The config of a text in `file`, which is read without executing it.

    Raises ConfigError, with the `remedy`, where it has no model or would import code.
    """
    cfg = Config(read_literal_config(text, f'the config in {file}'))
    if cfg.get('custom_imports'):
        raise ConfigError(f'the config in {file} has custom_imports, code that a file of data may '
                          f'not ask for: {remedy}')
    if 'model' not in cfg:
        raise ConfigError(f'the config in {file} has no model: {remedy}')
    return cfg
