"""Saving and loading of checkpoints, under the path of mmcv that user code imports."""
from .checkpoints.files import read_checkpoint, read_meta, save_checkpoint
from .checkpoints.loader import (
    CheckpointLoader,
    _process_mmcls_checkpoint,
    load_from_ceph,
    load_from_http,
    load_from_local,
    load_from_mmcls,
    load_from_openmmlab,
    load_from_pavi,
    load_from_torchvision,
    load_url,
)
from .checkpoints.model_zoo import (
    DEFAULT_CACHE_DIR,
    ENV_MMCV_HOME,
    ENV_XDG_CACHE_HOME,
    _get_mmcv_home,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)
from .checkpoints.state_dict import get_state_dict, weights_to_cpu
from .checkpoints.weights import (
    _load_checkpoint,
    _load_checkpoint_with_prefix,
    load_checkpoint,
    load_state_dict,
    weights_in,
)

__all__ = ['DEFAULT_CACHE_DIR', 'ENV_MMCV_HOME', 'ENV_XDG_CACHE_HOME', 'CheckpointLoader',
           '_get_mmcv_home', '_load_checkpoint', '_load_checkpoint_with_prefix',
           '_process_mmcls_checkpoint', 'get_deprecated_model_names', 'get_external_models',
           'get_mmcls_models', 'get_state_dict', 'get_torchvision_models', 'load_checkpoint',
           'load_from_ceph', 'load_from_http', 'load_from_local', 'load_from_mmcls',
           'load_from_openmmlab', 'load_from_pavi', 'load_from_torchvision', 'load_state_dict',
           'load_url', 'read_checkpoint', 'read_meta', 'save_checkpoint', 'weights_in',
           'weights_to_cpu']
