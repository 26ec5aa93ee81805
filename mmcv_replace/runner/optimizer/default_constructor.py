"""Sets learning rate and weight decay by kind and name of the parameters."""
import copy
import logging
from typing import Any

import torch
from torch import nn

from ...parallel import is_module_wrapper
from ...utils import build_from_cfg
from ...utils.errors import ConfigError, ConfigTypeError
from .builder import OPTIMIZER_BUILDERS, OPTIMIZERS, with_kernels
from .fused import watch_kernels
from .joined_groups import join_groups, note_order
from .paramwise import check_dict, check_paramwise, factors, is_deformable, warn_unmatched

Group = dict[str, Any]


@OPTIMIZER_BUILDERS.register_module()
class DefaultOptimizerConstructor:
    """Builds an optimizer, with `paramwise_cfg` in one group for each parameter.

    Keys of `paramwise_cfg`, each a factor of the optimizer's lr or weight_decay:
        custom_keys: {part of a name: dict(lr_mult=1, decay_mult=1)}; of the parts that occur in a
            parameter's name the longest is used, and the other keys are not
        bias_lr_mult, bias_decay_mult: for biases, except those of normalisation layers
        norm_decay_mult: for all parameters of normalisation layers
        dwconv_decay_mult: for all parameters of depth-wise convolutions
        dcn_offset_lr_mult: for the layer `conv_offset` of deformable convolutions
    and `bypass_duplicate`: accept that modules share parameters, and step these once. A subclass
    may have keys and groups of its own: it overrides `add_params`.
    """

    joined = False  # whether parameters with equal settings share a group, which steps faster

    def __init__(self, optimizer_cfg: dict[str, Any],
                 paramwise_cfg: dict[str, Any] | None = None) -> None:
        if not isinstance(optimizer_cfg, dict):
            raise ConfigTypeError(f'optimizer is a dict with a type, not {optimizer_cfg!r}')
        self.optimizer_cfg = optimizer_cfg
        self.paramwise_cfg = {} if paramwise_cfg is None else paramwise_cfg
        self.base_lr = optimizer_cfg.get('lr')
        self.base_wd = optimizer_cfg.get('weight_decay')
        self._first_names: dict[nn.Parameter, str] = {}
        self._validate_cfg()

    def _validate_cfg(self) -> None:
        check_dict('paramwise_cfg', self.paramwise_cfg)
        if type(self) is DefaultOptimizerConstructor:
            check_paramwise(self.optimizer_cfg, self.paramwise_cfg)

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimizer for all parameters of a model, including frozen ones."""
        if is_module_wrapper(model):
            model = model.module
        params = self._groups(model) if self.paramwise_cfg else list(model.parameters())
        cfg = with_kernels(copy.copy(self.optimizer_cfg), params)
        optimizer = build_from_cfg(cfg, OPTIMIZERS, {'params': params})
        if isinstance(optimizer, torch.optim.Optimizer):
            watch_kernels(optimizer)
            note_order(optimizer, model.parameters())
        return optimizer

    def _groups(self, model: nn.Module) -> list[Group]:
        self._first_names = {parameter: name for name, parameter in model.named_parameters()}
        groups: list[Group] = []
        self.add_params(groups, model)
        warn_unmatched(self.paramwise_cfg.get('custom_keys', {}),
                       [f'.{name}' for name in self._first_names.values()])
        return join_groups(groups) if self._joins() else groups

    def _joins(self) -> bool:
        # The groups of a user's subclass stay as they are.
        return self.joined and type(self).add_params is DefaultOptimizerConstructor.add_params

    def add_params(self, params: list[Group], module: nn.Module, prefix: str = '',
                   is_dcn_module: bool | None = None) -> None:
        """Append a group for each parameter of a module and its children to `params`.

        `prefix`: name of the module. `is_dcn_module`: whether it is a child of a deformable
        convolution.
        """
        known = {id(parameter) for group in params for parameter in group['params']}
        for name, parameter in module.named_parameters(recurse=False):
            full_name = f'{prefix}.{name}'
            if id(parameter) in known:
                self._meet_again(full_name.removeprefix('.'), parameter)
                continue
            known.add(id(parameter))
            # In joined groups frozen parameters have no groups of their own.
            scaled = parameter.requires_grad or self._joins()
            settings = self._settings(full_name, module, bool(is_dcn_module)) if scaled else {}
            params.append({'params': [parameter], **settings})
        for name, child in module.named_children():
            self.add_params(params, child, f'{prefix}.{name}' if prefix else name,
                            is_deformable(module))

    def _meet_again(self, name: str, parameter: nn.Parameter) -> None:
        first_name = self._first_names.get(parameter, 'a parameter before it')
        if not self.paramwise_cfg.get('bypass_duplicate', False):
            raise ConfigError(f'{name} and {first_name} are one parameter: set '
                              'paramwise_cfg.bypass_duplicate=True to train it once')
        logging.getLogger('mmseg').warning('%s is the same parameter as %s and keeps its settings',
                                           name, first_name)

    def _settings(self, name: str, module: nn.Module, in_deformable: bool) -> dict[str, float]:
        """Learning rate and weight decay of one parameter, if the optimizer sets them."""
        lr_mult, decay_mult = factors(self.paramwise_cfg, name, module, in_deformable)
        settings = {}
        if self.base_lr is not None:
            settings['lr'] = self.base_lr * lr_mult
        if self.base_wd is not None:
            settings['weight_decay'] = self.base_wd * decay_mult
        return settings
