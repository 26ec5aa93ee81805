"""HRNet, which keeps maps of high resolution from end to end."""
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import constant_init
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.utils.errors import ConfigError

from ..builder import BACKBONES
from ..utils import ResLayer
from .base_backbone import BaseBackbone
from .hrnet_module import HRModule, conv_norm, run_steps
from .resnet_blocks import BasicBlock, Bottleneck, ResidualBlock, add_conv, named_norm

STEM = 64  # channels behind the two convolutions that halve the image
SETTINGS = ('num_modules', 'num_branches', 'block', 'num_blocks', 'num_channels')


@BACKBONES.register_module()
class HRNet(BaseBackbone):
    """High-resolution network: stage i has i branches of halving resolution (arXiv:1904.04514).

    extra: dicts stage1 to stage4 of num_modules, num_branches, block ('BASIC' or 'BOTTLENECK'),
    num_blocks and num_channels (one a branch). Map i: [N, channels of branch i,
    H / (4 * 2**i), W / (4 * 2**i)]; without `multiscale_output` only the first.

    `with_cp` computes residual blocks again in backward; the attribute `recompute_norms`, also of
    blocks and modules, does so with norms alone. `zero_init_residual` starts each block as the
    identity.
    """

    blocks_dict = {'BASIC': BasicBlock, 'BOTTLENECK': Bottleneck}
    host_channels_last = 'its convolutions of few channels are faster in it'
    recompute_norms = False
    runs_in_order = True
    norm1, norm2 = named_norm(1), named_norm(2)

    def __init__(
        self, extra: Mapping[str, Mapping], in_channels: int = 3, conv_cfg: dict | None = None,
        norm_cfg: dict = BN, norm_eval: bool = False, with_cp: bool = False,
        frozen_stages: int = -1, zero_init_residual: bool = False, multiscale_output: bool = True,
        pretrained: str | None = None, init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        self.extra = extra
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.with_cp = with_cp
        self.zero_init_residual = zero_init_residual
        self.multiscale_output = multiscale_output
        self._check_extra()
        add_conv(self, 1, conv_cfg, in_channels, STEM, 3, stride=2)
        add_conv(self, 2, conv_cfg, STEM, STEM, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        channels = self._make_first_stage(extra['stage1'])
        for stage in (2, 3, 4):
            channels = self._make_stage(stage, channels, extra[f'stage{stage}'])
        self.out_channels = tuple(channels if multiscale_output else channels[:1])
        self.out_strides = tuple(4 * 2**i for i in range(len(self.out_channels)))
        self._freeze_stages()

    def _check_extra(self) -> None:
        for name in self.extra:
            if name not in ('stage1', 'stage2', 'stage3', 'stage4'):
                raise ConfigError(f'HRNet: extra has {name!r}, which is none of the four stages '
                                  'stage1 to stage4: remove it')
        for number, stage in enumerate(('stage1', 'stage2', 'stage3', 'stage4'), 1):
            if stage not in self.extra:
                raise ConfigError(f'HRNet: extra lacks {stage}: it must have the four stages, '
                                  f'each a dict of {", ".join(SETTINGS)}')
            given = self.extra[stage]
            wrong = set(SETTINGS) ^ given.keys()
            if wrong:
                raise ConfigError(f'HRNet: extra.{stage} must have {", ".join(SETTINGS)}, and no '
                                  f'other settings, but {", ".join(sorted(wrong))} is '
                                  f'{"missing" if wrong - given.keys() else "unknown"}')
            if given['block'] not in self.blocks_dict:
                raise ConfigError(f"HRNet: extra.{stage}.block={given['block']!r} must be "
                                  f'{" or ".join(map(repr, self.blocks_dict))}')
            if given['num_branches'] != number:
                raise ConfigError(f"HRNet: extra.{stage}.num_branches={given['num_branches']} must "
                                  f'be {number}, the number of the stage')
            if not isinstance(given['num_modules'], int) or given['num_modules'] < 1:
                raise ConfigError(f"HRNet: extra.{stage}.num_modules={given['num_modules']} must "
                                  'be a whole number from 1 on')
            for name in ('num_blocks', 'num_channels'):
                if len(given[name]) != number or not all(
                        isinstance(value, int) and value > 0 for value in given[name]):
                    raise ConfigError(f'HRNet: extra.{stage}.{name}={given[name]} must be {number} '
                                      'whole numbers from 1 on, one for each branch')

    def _make_first_stage(self, settings: Mapping) -> list[int]:
        block = self.blocks_dict[settings['block']]
        planes = settings['num_channels'][0]
        self.layer1 = ResLayer(block, STEM, planes, settings['num_blocks'][0],
                               with_cp=self.with_cp, conv_cfg=self.conv_cfg,
                               norm_cfg=self.norm_cfg)
        return [planes * block.expansion]

    def _make_stage(self, number: int, before: list[int], settings: Mapping) -> list[int]:
        """Add a transition from maps with the channels `before`, and the modules of the stage."""
        block = self.blocks_dict[settings['block']]
        channels = [planes * block.expansion for planes in settings['num_channels']]
        self.add_module(f'transition{number - 1}', self._make_transition(before, channels))
        modules = settings['num_modules']
        self.add_module(f'stage{number}', nn.Sequential(*(
            HRModule(settings['num_branches'], block, settings['num_blocks'], channels,
                     settings['num_channels'], with_cp=self.with_cp, conv_cfg=self.conv_cfg,
                     norm_cfg=self.norm_cfg, multiscale_output=(
                         self.multiscale_output or number < 4 or i < modules - 1))
            for i in range(modules))))
        return channels

    def _make_transition(self, before: list[int], after: list[int]) -> nn.ModuleList:
        """Steps that fit the channels of each branch, None where they do; the last is a new one."""
        layers = (self.conv_cfg, self.norm_cfg)
        return nn.ModuleList([
            *(None if old == new else conv_norm(*layers, old, new, 3)
              for old, new in zip(before, after, strict=False)),
            nn.Sequential(conv_norm(*layers, before[-1], after[-1], 3, stride=2))])

    def parts(self) -> list[list[nn.Module]]:
        return [[self.conv1, self.norm1, self.conv2, self.norm2],
                [self.layer1, self.transition1], [self.stage2, self.transition2],
                [self.stage3, self.transition3], [self.stage4]]

    def init_weights(self, pretrained: str | None = None) -> None:
        """Kaiming convolutions, norms 1 (0 at the end of a block with `zero_init_residual`).

        Or the weights of the file `pretrained`; see StartingModule.
        """
        if self.is_init and pretrained is None:
            return
        super().init_weights(pretrained)
        if self.zero_init_residual and not self.is_pretrained:
            for module in self.modules():
                if isinstance(module, ResidualBlock):
                    constant_init(module.last_norm, 0)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        x = norm_relu_conv(self.norm1, self.relu, self.conv2, self.conv1(x), self.recompute_norms)
        maps = [self.layer1(self.relu(self.norm2(x)))]
        for number in (2, 3, 4):
            transition = getattr(self, f'transition{number - 1}')
            *fits, new = transition
            maps = [*(x if fit is None else fit(x) for fit, x in zip(fits, maps, strict=True)),
                    run_steps(new, maps[-1], self.recompute_norms)]
            maps = getattr(self, f'stage{number}')(maps)
        return tuple(maps)
