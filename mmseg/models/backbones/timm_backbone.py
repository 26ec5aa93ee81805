"""Backbones of the package timm."""
import os
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from mmcv_replace.cnn.bricks.registry import NORM_LAYERS
from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmcv_replace.utils.misc.optional import import_optional
from mmcv_replace.utils.suggest import did_you_mean

from ..builder import BACKBONES
from .base_backbone import BaseBackbone

INSTALL = ("pip install 'mmseg-ascend[timm]'; torchvision, which timm imports, must be the one "
           'made for the installed torch and come from the same index, pip install torch '
           'torchvision --index-url URL')
# What timm raises for a model or an option that does not exist.
REFUSALS = (TypeError, ValueError, AssertionError, RuntimeError, IndexError, KeyError,
            NotImplementedError)
# A seed that the weights in a file were hardly drawn with.
DRAW = 0x9b1f4c6e27d3


@BACKBONES.register_module()
class TIMMBackbone(BaseBackbone):
    """A model of timm (PyTorch Image Models), by its name there.

    The maps, which `out_channels` and `out_strides` describe, are those of timm's features_only:
    five for ResNets, MobileNets, EfficientNets and HRNets, of which the first is the stem's; four
    for ConvNeXts and Swins; three of one stride for ViTs. `features_only=False` gives one, of
    `forward_features`. `kwargs` go to timm.create_model: out_indices=(1, 2, 3, 4) chooses maps,
    output_stride=8 dilates (Swins and ViTs cannot), img_size or dynamic_img_size fit Swins and
    ViTs to the images; a `norm_layer` may be a name of ours, such as SyncBN.

    `pretrained`: True for timm's weights, which `init_weights` downloads, or a file with weights
    of this backbone. `checkpoint_path`: a file with weights in the form of timm's. The attribute
    `img_norm_cfg` holds the arguments of Normalize with which timm's weights were trained; a
    training with others logs a warning. It is None for images of other than three channels.
    `frozen_stages` counts the parts of the network that end with each map; a network in which they
    are not found has one part.
    """

    default_init = ()  # timm draws the weights

    def __init__(
        self, model_name: str, features_only: bool = True, pretrained: bool | str | None = True,
        checkpoint_path: str = '', in_channels: int = 3, frozen_stages: int = -1,
        norm_eval: bool = False, init_cfg: dict | list | None = None, **kwargs: Any,
    ) -> None:
        name = f'{type(self).__name__}({model_name!r})'
        given = dict(pretrained=pretrained, checkpoint_path=checkpoint_path, init_cfg=init_cfg)
        if (isinstance(pretrained, str) or init_cfg) and (checkpoint_path or pretrained is True):
            raise ConfigError(f'{name}: {given} say in more than one way how to start; keep one, '
                              'with pretrained=False beside init_cfg')
        super().__init__(in_channels, frozen_stages, norm_eval,
                         pretrained if isinstance(pretrained, str) else None, init_cfg)
        self.model_name = model_name
        self.features_only = features_only
        self.pretrained = pretrained
        self.checkpoint_path = checkpoint_path
        self.options = kwargs
        self._timm = import_timm(name)
        self.timm_model = self._create()
        self._describe()
        self._freeze_stages()

    def _create(self, **more: Any) -> nn.Module:
        """A new model of timm, without the layers behind the maps."""
        options = dict(self.options, **more)
        if isinstance(options.get('norm_layer'), str) and options['norm_layer'] in NORM_LAYERS:
            options['norm_layer'] = NORM_LAYERS.get(options['norm_layer'])
        if self.features_only:
            options['features_only'] = True
        try:
            model = self._timm.create_model(self.model_name, in_chans=self.in_channels, **options)
        except REFUSALS as error:
            raise self._refusal(error) from error
        for name in ('global_pool', 'fc', 'classifier', 'head'):
            if hasattr(model, name):
                setattr(model, name, None)
        return model

    def _refusal(self, error: Exception) -> ConfigError:
        known = self._timm.list_models()
        base = self.model_name.partition('.')[0]
        if base not in known and ':' not in base:
            return ConfigError(f'TIMMBackbone: timm {self._timm.__version__} has no model_name='
                               f'{self.model_name!r}{did_you_mean(base, known)}; '
                               'timm.list_models() lists them')
        hint = ''
        if 'output_stride' in self.options:
            hint = '; output_stride is for convolutional networks, and not for all of them'
        return ConfigError(f'TIMMBackbone: timm cannot make {self.model_name!r} with features_only='
                           f'{self.features_only}, {self.options} ({type(error).__name__}: '
                           f'{error}): leave out or correct what it does not take{hint}')

    def _describe(self) -> None:
        """Set what callers read: channels and strides of the maps, their format, `img_norm_cfg`."""
        model = self.timm_model
        info = model.feature_info
        if self.features_only:
            self.out_channels = tuple(info.channels())
            self.out_strides = tuple(info.reduction())
        else:
            self.out_channels = (model.num_features,)
            self.out_strides = (info[-1]['reduction'] if isinstance(info, list)
                                else info.reduction()[-1],)
        self._maps_are_nhwc = str(getattr(model, 'output_fmt', 'NCHW')).endswith('NHWC')
        source = model.pretrained_cfg
        self.img_norm_cfg = dict(
            mean=[255 * value for value in source['mean']],
            std=[255 * value for value in source['std']],
            to_rgb=True) if self.in_channels == 3 else None

    @property
    def starts_from_timm(self) -> bool:
        """Whether the first weights are timm's, which expect images as in `img_norm_cfg`."""
        return not self.init_cfg and (self.pretrained is True or bool(self.checkpoint_path))

    def init_weights(self, pretrained: str | None = None) -> None:
        """Load the weights, or draw those of timm's model anew; see StartingModule.

        Raises CheckpointError where they cannot be downloaded or read.
        """
        if self.is_init and pretrained is None:
            return
        if pretrained is not None or self.init_cfg:
            super().init_weights(pretrained)
            return
        self.timm_model.load_state_dict(self._source().state_dict())
        if self.starts_from_timm and self.in_channels != 3:
            self._tell_fitted('by timm')
        self._is_init = True

    def _source(self) -> nn.Module:
        if not self.starts_from_timm:
            return self._create()
        overlay = dict(self.options.get('pretrained_cfg_overlay') or {})
        if self.checkpoint_path:
            if not os.path.isfile(self.checkpoint_path):
                raise CheckpointError(f'TIMMBackbone: checkpoint_path={self.checkpoint_path!r} is '
                                      'not a file')
            # timm's own checkpoint_path fails together with features_only.
            overlay['file'] = self.checkpoint_path
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(DRAW)
                source = self._create(pretrained=True, pretrained_cfg_overlay=overlay)
        except Exception as error:  # of any class: a library for downloads and a reader of files
            raise CheckpointError(
                f'TIMMBackbone: the weights of {self.model_name!r} '
                f'({self.checkpoint_path or "from timm"}) cannot be loaded ({error}): get the file '
                'of this model on another machine and give checkpoint_path=FILE; '
                'pretrained=False starts without') from error
        if self.checkpoint_path:
            self._check_loaded(source)
        return source

    def _check_loaded(self, source: nn.Module) -> None:
        """Refuse a file without some of the weights, which timm leaves as they were drawn."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(DRAW)  # that of `source`, which has drawn the same
            drawn = dict(self._create().named_parameters())
        weights = [(name, weight) for name, weight in source.named_parameters() if weight.dim() > 1]
        lacking = [name for name, weight in weights if torch.equal(weight, drawn[name])]
        if lacking:
            raise CheckpointError(
                f'TIMMBackbone: {self.checkpoint_path} lacks {len(lacking)} of {len(weights)} '
                f'weights of {self.model_name!r}, such as {lacking[0]}: give a file of this model')

    def adapt_state_dict(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """As in BaseBackbone; the names may also be those of timm's whole model."""
        if not any(key.startswith('backbone.') for key in state_dict):
            # timm joins the names of its modules by `_` where it takes the features.
            ours = {key.replace('_', '.'): key for key in self.state_dict()}
            state_dict = {ours.get(f'timm_model.{key}'.replace('_', '.'), key): value
                          for key, value in state_dict.items()}
        return super().adapt_state_dict(state_dict)

    def parts(self) -> list[list[nn.Module]]:
        whole = [[self.timm_model]]
        if not self.features_only or any(True for _ in self.timm_model.parameters(recurse=False)):
            return whole
        ends = self.timm_model.feature_info.module_name()
        units = dict(_units(self.timm_model, '', ends))
        names = list(units)
        places = [names.index(end) + 1 if end in names else names.index(end.replace('.', '_')) + 1
                  for end in ends if end in names or end.replace('.', '_') in names]
        if len(places) < len(ends) or places != sorted(places):
            return whole
        places[-1] = len(names)  # what follows the last map is not used
        return [[units[name] for name in names[begin:end]]
                for begin, end in zip([0, *places[:-1]], places, strict=True)]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        try:
            maps = (self.timm_model(x) if self.features_only
                    else [self.timm_model.forward_features(x)])
        except AssertionError as error:  # how timm refuses the size of an image
            raise ConfigError(
                f'TIMMBackbone: {self.model_name!r} does not take images of {x.size(2)} x '
                f'{x.size(3)} ({error}): give the backbone dynamic_img_size=True, which takes any '
                'size that its patches divide, or img_size=(H, W) where all images, those of '
                "tests too, have that one; the step dict(type='Pad', size_divisor=32) makes sizes "
                'that patches divide') from error
        if maps[0].dim() != 4:
            raise ConfigError(f'TIMMBackbone: features_only=False gives {self.model_name!r} '
                              f'{list(maps[0].shape)}, which is no map; use features_only=True')
        if self._maps_are_nhwc:
            return tuple(each.permute(0, 3, 1, 2) for each in maps)
        return tuple(maps)


def import_timm(user: str) -> ModuleType:
    """The package timm; MissingModuleError where it, or torchvision, cannot be imported."""
    return import_optional('timm', user, INSTALL)


def _units(module: nn.Module, prefix: str, ends: list[str]) -> list[tuple[str, nn.Module]]:
    """The layers of a network by their names; of those that hold ends, the layers in them."""
    found = []
    for name, child in module.named_children():
        path = f'{prefix}{name}'
        if any(end.startswith(f'{path}.') for end in ends):
            found += _units(child, f'{path}.', ends)
        else:
            found.append((path, child))
    return found
