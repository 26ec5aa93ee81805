"""Where a backbone's weights come from."""
from collections.abc import Sequence

from mmcv_replace.utils.errors import ConfigError

InitCfg = dict | Sequence[dict] | None


def choose_init_cfg(name: str, pretrained: str | None, init_cfg: InitCfg,
                    default: InitCfg) -> InitCfg:
    """`init_cfg`, or what `pretrained` stands for, or the default.

    Raises ConfigError, naming the component `name`, when both are given.
    """
    if pretrained is None:
        return init_cfg or default
    if init_cfg is not None:
        raise ConfigError(f'{name}: pretrained={pretrained!r} and init_cfg={init_cfg} both say '
                          'how to start; keep one of them')
    return dict(type='Pretrained', checkpoint=pretrained)
