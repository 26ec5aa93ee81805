"""The model of a config: built, wrapped for its device, and compared with a checkpoint."""
from collections.abc import Mapping

import torch
from torch import nn

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import owns_gradients
from mmcv_replace.ops import fit_sync_batchnorm
from mmcv_replace.parallel import MMDataParallel, MMDistributedDataParallel
from mmcv_replace.parallel.distributed import BUFFER_SWITCH
from mmcv_replace.runner import Precision
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError
from mmseg.models import build_segmentor
from mmseg.models.utils import starting_from
from mmseg.utils import get_root_logger

SHOWN = 4  # weights that a message lists
BACKBONE = 'backbone.'
# Parts of the names of weights that only training uses, or that old checkpoints lack.
UNUSED = ('auxiliary_head', 'loss_decode', 'num_batches_tracked')


def build_model(cfg: Config) -> nn.Module:
    """Build the segmentor of `cfg.model`, with the `train_cfg` and `test_cfg` beside it."""
    model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    model.input_bands = cfg.get('in_channels')
    return model


def build_model_to_inspect(cfg: Config) -> nn.Module:
    """Build the model quickly, without drawing its random weights: it cannot compute."""
    with DeferredInit():
        return build_model(cfg)


def initialize_weights(model: nn.Module) -> None:
    """Draw or load a model's first weights, unless its constructor has, as in 0.10's models."""
    if not getattr(model, 'is_init', False):
        with starting_from(model, getattr(model, 'pretrained', None)):
            model.init_weights()


def wrap_model(model: nn.Module, device: torch.device, distributed: bool, precision: Precision,
               options: Mapping[str, object] | None = None) -> nn.Module:
    """Move the model to its device and wrap it for the runner; `options` are those of torch's DDP.

    SyncBN layers become equivalent ones: BN in a single process, else a variant that the device
    supports.
    """
    layers = sum(isinstance(module, nn.SyncBatchNorm) for module in model.modules())
    if layers and distributed:
        model = fit_sync_batchnorm(model, device)
    elif layers:
        get_root_logger().info('%d SyncBN layers run as BN: there is one process', layers)
        model = revert_sync_batchnorm(model)
    model = model.to(device)
    precision.cast(model)
    if not distributed:
        return MMDataParallel(model, autocast=precision.autocast)
    indices = None if device.index is None else [device.index]
    return MMDistributedDataParallel(model, device_ids=indices, autocast=precision.autocast,
                                     **(options or {}))


def ddp_options(cfg: Config, device: torch.device) -> dict[str, object]:
    """Arguments for DDP: `ddp = dict(...)` of the config over defaults that suit every model.

    Gradients are views of DDP's buckets, which saves a copy of them, unless the optimizer keeps
    them in its own storage. `ddp = dict(static_graph=True)` is for models whose every step uses the
    same parameters in the same order; torch does not support it together with `cumulative_iters`.
    """
    return {
        # Norms either share their statistics or keep those of each process until evaluation.
        BUFFER_SWITCH: False,
        'gradient_as_bucket_view': not owns_gradients(cfg.optimizer.type, device),
        'find_unused_parameters': cfg.get('find_unused_parameters', False),
        **(cfg.get('ddp') or {}),
    }


def fit_checkpoint(model: nn.Module, weights: Mapping[str, torch.Tensor]
                   ) -> dict[str, torch.Tensor]:
    """Weights of a whole model, of which those for RGB images become ones for the model's bands."""
    fit = getattr(getattr(model, 'backbone', None), 'fit_input_channels', None)
    if fit is None:
        return dict(weights)
    own = {key.removeprefix(BACKBONE): value for key, value in weights.items()
           if key.startswith(BACKBONE)}
    return {**weights, **{BACKBONE + key: value for key, value in fit(own).items()}}


def check_loaded(model: nn.Module, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Raise CheckpointError if a weight that the model predicts with is not among `weights`.

    It would keep its random value. `weights` may be on the device meta, which holds shapes only.
    """
    theirs = {str(key).removeprefix('module.'): getattr(value, 'shape', None)
              for key, value in weights.items()}
    lacking = [f'{key} {list(value.shape)}' + (f' ({list(theirs[key])} in the checkpoint)'
                                               if theirs.get(key) is not None else '')
               for key, value in model.state_dict().items()
               if theirs.get(key) != value.shape and not set(UNUSED) & set(key.split('.'))]
    if lacking:
        more = f' and {len(lacking) - SHOWN} more' if len(lacking) > SHOWN else ''
        raise CheckpointError(
            f'{source} lacks weights that the model predicts with: {", ".join(lacking[:SHOWN])}'
            f'{more}. They would be random: give the checkpoint that was trained with this config, '
            'or make num_classes and the other settings of the model those of the checkpoint; '
            'match_weights=False predicts regardless')
