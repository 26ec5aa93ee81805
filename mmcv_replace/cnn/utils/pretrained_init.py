"""Initial weights from a checkpoint."""
import logging
import os
from collections.abc import Mapping

from torch import nn

from mmcv_replace.utils.errors import CheckpointError

from .init_info import update_init_info
from .initializers import INITIALIZERS


@INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit:
    """Load weights from a file, a URL, or an `open-mmlab://` or `torchvision://` name.

    `prefix` takes the part of the checkpoint under it ('backbone.' of a whole model). The module's
    `adapt_state_dict`, if it has one, renames the keys; weights that do not fit are logged. Raises
    CheckpointError where no key begins with `prefix`. `map_location`: where the file is read to
    (None: the host), before its values are copied to where the module is.
    """

    def __init__(self, checkpoint: str | os.PathLike, prefix: str | None = None,
                 map_location: str | None = None) -> None:
        self.checkpoint = os.fspath(checkpoint)
        self.prefix = prefix
        self.map_location = map_location

    def _get_init_info(self) -> str:
        """What this loads, for the log."""
        return f'{type(self).__name__}: load from {self.checkpoint}'

    def _under_prefix(self, state: Mapping) -> dict:
        prefix = self.prefix if self.prefix.endswith('.') else f'{self.prefix}.'
        found = {key.removeprefix(prefix): value for key, value in state.items()
                 if key.startswith(prefix)}
        if not found:
            raise CheckpointError(f'{self.checkpoint}: no key begins with prefix {prefix!r}; '
                                  f'the first keys are {list(state)[:3]}')
        return found

    def __call__(self, module: nn.Module) -> None:
        # Late, because the runner package imports this module.
        from mmcv_replace.runner.checkpoint import _load_checkpoint, load_state_dict, weights_in
        logger = logging.getLogger('mmseg')
        logger.info('loading weights of %s from %s', type(module).__name__, self.checkpoint)
        state = weights_in(_load_checkpoint(self.checkpoint, self.map_location or 'cpu'))
        state = {key.removeprefix('module.'): value for key, value in state.items()}
        if self.prefix is not None:
            state = self._under_prefix(state)
        if hasattr(module, 'adapt_state_dict'):
            state = module.adapt_state_dict(state)
        load_state_dict(module, state, logger=logger, source=self.checkpoint)
        update_init_info(module, self._get_init_info())
