"""VGG networks."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError, ConfigKeyError

from .utils.classic import draw_weights, freeze, hold_norms, load_pretrained
from .utils.weight_init import normal_init


def make_vgg_layer(inplanes: int, planes: int, num_blocks: int, dilation: int = 1,
                   with_bn: bool = False, ceil_mode: bool = False) -> list[nn.Module]:
    """The layers of a stage: `num_blocks` convolutions with their ReLUs, and max pooling."""
    layers: list[nn.Module] = []
    for _ in range(num_blocks):
        layers.append(nn.Conv2d(inplanes, planes, 3, padding=dilation, dilation=dilation))
        if with_bn:
            layers.append(nn.BatchNorm2d(planes))
        layers.append(nn.ReLU(inplace=True))
        inplanes = planes
    return [*layers, nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=ceil_mode)]


class VGG(nn.Module):
    """VGG (arXiv:1409.1556) with 11, 13, 16 or 19 layers.

    `num_classes`: with a positive number the network also classifies. `out_indices`: the stages
    that give output maps. `frozen_stages`: this many stages are not trained. `bn_eval`: batch norms
    keep their running statistics in training; with `bn_frozen` their weights, too. `ceil_mode`:
    pooling rounds sizes up. `with_last_pool`: the last stage ends with pooling.

    Raises ConfigKeyError for another depth, ConfigError for stages that it does not have.
    """

    arch_settings = {
        11: (1, 1, 2, 2, 2),
        13: (2, 2, 2, 2, 2),
        16: (2, 2, 3, 3, 3),
        19: (2, 2, 4, 4, 4),
    }
    module_name = 'features'

    def __init__(self, depth: int, with_bn: bool = False, num_classes: int = -1,
                 num_stages: int = 5, dilations: Sequence[int] = (1, 1, 1, 1, 1),
                 out_indices: Sequence[int] = (0, 1, 2, 3, 4), frozen_stages: int = -1,
                 bn_eval: bool = True, bn_frozen: bool = False, ceil_mode: bool = False,
                 with_last_pool: bool = True) -> None:
        super().__init__()
        if depth not in self.arch_settings:
            raise ConfigKeyError(f'VGG has no depth {depth!r}: use one of '
                                 f'{", ".join(map(str, self.arch_settings))}')
        if not 1 <= num_stages <= 5 or len(dilations) != num_stages:
            raise ConfigError(f'VGG: num_stages={num_stages} must be 1 to 5, and '
                              f'dilations={dilations} one number a stage')
        if max(out_indices) > num_stages:
            raise ConfigError(f'VGG: out_indices={out_indices} must be numbers of stages, below '
                              f'num_stages={num_stages}')
        self.stage_blocks = self.arch_settings[depth][:num_stages]
        self.num_classes = num_classes
        self.out_indices = out_indices
        self.frozen_stages = frozen_stages
        self.bn_eval = bn_eval
        self.bn_frozen = bn_frozen
        self.inplanes = 3
        # Of each stage, where in `features` it begins and ends.
        self.range_sub_modules: list[list[int]] = []
        layers: list[nn.Module] = []
        for i, num_blocks in enumerate(self.stage_blocks):
            planes = min(64 * 2**i, 512)
            stage = make_vgg_layer(self.inplanes, planes, num_blocks, dilations[i], with_bn,
                                   ceil_mode)
            self.range_sub_modules.append([len(layers), len(layers) + len(stage)])
            layers += stage
            self.inplanes = planes
        if not with_last_pool:
            layers.pop()
            self.range_sub_modules[-1][1] -= 1
        self.features = nn.Sequential(*layers)
        if num_classes > 0:
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(),
                nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(),
                nn.Linear(4096, num_classes))

    def init_weights(self, pretrained: str | None = None) -> None:
        """Load a checkpoint, or draw Kaiming convolutions, norms 1 and linear layers of std 0.01.

        Raises ArgumentError for anything but a path, a URL or None.
        """
        if load_pretrained(self, pretrained):
            return
        draw_weights(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                normal_init(module, std=0.01)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Maps of images [N, 3, H, W], each stage with half the size of the one before.

        One map alone is no tuple. Scores [N, num_classes] of images that are 224 wide and high
        follow the maps.
        """
        outs = []
        layers = list(self.features)
        for i, (start, end) in enumerate(self.range_sub_modules):
            for layer in layers[start:end]:
                x = layer(x)
            if i in self.out_indices:
                outs.append(x)
        if self.num_classes > 0:
            outs.append(self.classifier(x.flatten(1)))
        return outs[0] if len(outs) == 1 else tuple(outs)

    def train(self, mode: bool = True) -> 'VGG':
        """Switch to training, but for what is frozen, or to evaluation."""
        super().train(mode)
        if self.bn_eval:
            hold_norms(self, self.bn_frozen)
        if mode:
            for start, end in self.range_sub_modules[:max(0, self.frozen_stages)]:
                for layer in self.features[start:end]:
                    freeze(layer)
        return self
