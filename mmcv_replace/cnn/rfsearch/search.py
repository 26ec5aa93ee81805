"""The hook that searches for dilations during training."""
import copy
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from mmcv_replace.fileio import load
from mmcv_replace.runner.hook import HOOKS, Hook
from mmcv_replace.utils.errors import ConfigError, ConfigKeyError
from mmcv_replace.utils.rank import get_dist_info

from .operator import BaseConvRFSearchOp, Conv2dRFSearchOp, searchable
from .utils import get_single_padding, write_to_json

if TYPE_CHECKING:
    from mmcv_replace.runner.base_runner import BaseRunner

MODES = ('search', 'fixed_single_branch', 'fixed_multi_branch')
OPERATORS = {'Conv2d': (nn.Conv2d, Conv2dRFSearchOp)}  # searched layers, and what replaces them
SAVED = 'rfsearch'  # entry of a checkpoint


@HOOKS.register_module()
class RFSearchHook(Hook):
    """Finds the dilations of convolutions (RF-Next, arXiv:2206.06637), or uses those found.

    Call `init_model` before the optimizer is built. In the mode 'search' each convolution gets
    several branches; every `search_interval` epochs (iterations without `by_epoch`) below
    `max_step` they are replaced by others around the best dilation, which is written to
    work_dir/local_search_config_step{N}.json. 'fixed_single_branch' only sets the dilations of such
    a file, `rfstructure_file`; 'fixed_multi_branch' trains branches around them.

    `config['search']`: `step` (0), `max_step`, `search_interval`, `exp_rate` (how far the branches
    are apart), `init_alphas` (weight of a new branch), `mmin` and `mmax` (limits of a dilation),
    `num_branches`, and `skip_layer` (parts of the names of layers that stay). `config['structure']`
    may give dilations to begin with: one or a pair for each layer, named 'module.backbone.conv1'.
    """

    default_priority = 'ABOVE_NORMAL'  # before checkpoints, which a resume continues from

    def __init__(self, mode: str = 'search', config: dict[str, Any] = {},  # noqa: B006  unchanged
                 rfstructure_file: str | None = None, by_epoch: bool = True,
                 verbose: bool = True) -> None:
        if mode not in MODES:
            raise ConfigError(f'RFSearchHook: mode={mode!r} is not known: use one of '
                              f'{", ".join(MODES)}')
        if 'search' not in config:
            raise ConfigKeyError("RFSearchHook: config lacks 'search', a dict with the settings of "
                                 'the search')
        self.config = copy.deepcopy(config)
        self.verbose = verbose
        if rfstructure_file is not None:
            self.config['structure'] = load(rfstructure_file)['structure']
        elif self.config.get('structure') is None:
            self.config['structure'] = {}
        self.mode = mode
        self.num_branches = self.config['search']['num_branches']
        self.by_epoch = by_epoch

    def init_model(self, model: nn.Module) -> None:
        """Set the dilations of the model's convolutions, and give them branches by the mode."""
        if self.mode != 'search' or self.config['structure']:
            self.set_model(model)
        if self.mode != 'fixed_single_branch':
            self.wrap_model(model)

    def before_run(self, runner: 'BaseRunner') -> None:
        if self.mode == 'search' and not any(
                isinstance(module, BaseConvRFSearchOp) for module in runner.model.modules()):
            runner.logger.warning('RFSearchHook has nothing to search: call its init_model(model) '
                                  'before the optimizer is built')

    def after_train_epoch(self, runner: 'BaseRunner') -> None:
        if self.by_epoch and self.mode == 'search':
            self.step(runner.model, runner.work_dir)

    def after_train_iter(self, runner: 'BaseRunner') -> None:
        if not self.by_epoch and self.mode == 'search':
            self.step(runner.model, runner.work_dir)

    def step(self, model: nn.Module, work_dir: str | Path) -> None:
        """Count one step; where its turn has come, search around the best dilations."""
        search = self.config['search']
        search['step'] += 1
        if search['step'] % search['search_interval'] or search['step'] >= search['max_step']:
            return
        self.estimate_and_expand(model)
        for name, module in model.named_modules():
            if isinstance(module, BaseConvRFSearchOp):
                self.config['structure'][name] = module.op_layer.dilation
        if get_dist_info()[0] == 0:
            write_to_json(self.config, Path(
                work_dir, f'local_search_config_step{search["step"]}.json'))

    def estimate_and_expand(self, model: nn.Module) -> None:
        """Replace the branches of every convolution by others around the best dilation."""
        for module in model.modules():
            if isinstance(module, BaseConvRFSearchOp):
                module.estimate_rates()
                module.expand_rates()

    def wrap_model(self, model: nn.Module, search_op: str = 'Conv2d', prefix: str = '') -> None:
        """Give branches to the convolutions of the model, whose name is `prefix`."""
        replacement = _operator(search_op)[1]

        def wrap(parent: nn.Module, name: str, layer: nn.Module, full_name: str) -> None:
            setattr(parent, name, replacement(layer, self.config['search'], self.verbose))

        self._for_layers(model, search_op, prefix, wrap)

    def set_model(self, model: nn.Module, search_op: str = 'Conv2d',
                  init_rates: int | None = None, prefix: str = '') -> None:
        """Set the dilations of the model's convolutions to those in `config['structure']`.

        `init_rates`: for layers that are not there; without it they are a ConfigKeyError.
        """
        def put(parent: nn.Module, name: str, layer: nn.Module, full_name: str) -> None:
            rates = self.config['structure'].get(full_name, init_rates)
            if rates is None:
                raise ConfigKeyError(f'RFSearchHook: the structure has no dilation for {full_name}'
                                     ': name it there, or in skip_layer')
            layer.dilation = (rates,) * 2 if isinstance(rates, int) else tuple(rates)
            layer.padding = tuple(map(get_single_padding, layer.kernel_size, layer.stride,
                                      layer.dilation))
            if self.verbose:
                logging.getLogger('mmseg').info('%s gets the dilation %s', full_name,
                                                layer.dilation)

        self._for_layers(model, search_op, prefix, put)

    def _for_layers(self, model: nn.Module, search_op: str, prefix: str,
                    act: Callable[[nn.Module, str, nn.Module, str], None]) -> None:
        """Call `act` for each layer of the kind that is not to be skipped."""
        kind = _operator(search_op)[0]
        for name, child in list(model.named_children()):
            full_name = f'{prefix or "module"}.{name}'
            if isinstance(child, BaseConvRFSearchOp) or any(
                    part in full_name for part in self.config['search']['skip_layer']):
                continue
            if not isinstance(child, kind):
                self._for_layers(child, search_op, full_name, act)
            elif any(map(searchable, child.kernel_size)):
                act(model, name, child, full_name)

    def before_save_checkpoint(self, runner: 'BaseRunner', checkpoint: dict[str, Any]) -> None:
        checkpoint[SAVED] = {
            'step': self.config['search']['step'], 'structure': dict(self.config['structure']),
            'rates': {name: (module.op_layer.dilation, module.dilation_rates)
                      for name, module in runner.model.named_modules()
                      if isinstance(module, Conv2dRFSearchOp)}}

    def after_resume(self, runner: 'BaseRunner', checkpoint: dict[str, Any]) -> None:
        saved = checkpoint.get(SAVED)
        if saved is None:
            return
        self.config['search']['step'] = saved['step']
        self.config['structure'] = saved['structure']
        for name, (dilation, rates) in saved['rates'].items():
            operator = runner.model.get_submodule(name)
            operator.op_layer.dilation = tuple(dilation)
            operator.op_layer.padding = operator.get_padding(dilation)
            operator.dilation_rates = [tuple(rate) for rate in rates]


def _operator(search_op: str) -> tuple[type[nn.Module], type[BaseConvRFSearchOp]]:
    if search_op not in OPERATORS:
        raise ConfigError(f'RFSearchHook: search_op={search_op!r} is not known: use one of '
                          f'{", ".join(OPERATORS)}')
    return OPERATORS[search_op]
