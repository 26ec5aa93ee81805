"""Options of the plain PyTorch form in test/reference, read from a config."""
from typing import Any

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

# A second plain form, which a careful user would write.
CAREFUL = {'channels_last': {'channels_last': True}}


def plain_options(cfg: Config) -> dict[str, Any]:
    """Shape of the network, and the optimizer. Raises ConfigError where the plain form lacks it."""
    backbone, head = cfg.model.backbone, cfg.model.decode_head
    auxiliary = cfg.model.get('auxiliary_head') or {}
    found = [part.get('type') for parts in (backbone, head, auxiliary)
             for part in (parts if isinstance(parts, list) else [parts])]
    if found != ['ResNetV1c', 'PSPHead', 'FCNHead']:
        raise ConfigError(f'there is no plain form of a model of {", ".join(map(str, found))}: '
                          'choose a PSPNet config of configs/pspnet, or --no-plain')
    network = {
        'depth': backbone.depth,
        'strides': list(backbone.get('strides', (1, 2, 2, 2))),
        'dilations': list(backbone.get('dilations', (1, 1, 1, 1))),
        'num_classes': head.num_classes,
        'channels': head.channels,
        'aux_channels': auxiliary.channels,
        'bins': list(head.get('pool_scales', (1, 2, 3, 6))),
        'dropout': head.dropout_ratio,
        'width': backbone.get('base_channels', 64),
        'stem': backbone.get('stem_channels', 64),
    }
    return {'network': network, 'optimizer': dict(cfg.optimizer)}
