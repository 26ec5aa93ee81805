"""The training loop: runners, hooks, checkpoints, optimizers, processes."""
from ..utils.lazy_names import lazy_names
from .hook import HOOKS

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    **HOOKS.modules,
    '..parallel.allreduce': ['allreduce_grads', 'allreduce_params'],
    '.base_module': ['BaseModule', 'ModuleDict', 'ModuleList', 'Sequential'],
    '.base_runner': ['BaseRunner'],
    '.builder': ['RUNNERS', 'RUNNER_BUILDERS', 'build_runner', 'build_runner_constructor'],
    '.checkpoint': ['CheckpointLoader', '_load_checkpoint', '_load_checkpoint_with_prefix',
                    'load_checkpoint', 'load_state_dict', 'save_checkpoint', 'weights_to_cpu'],
    '.default_constructor': ['DefaultRunnerConstructor'],
    '.dist_utils': ['get_dist_info', 'init_dist', 'master_only'],
    '.epoch_based_runner': ['EpochBasedRunner', 'Runner'],
    '.fp16_utils': ['LossScaler', 'auto_fp16', 'force_fp32', 'wrap_fp16_model'],
    '.hook': ['HOOKS', 'Hook'],
    '.hooks': ['DistEvalHook', 'EvalHook', 'LoggerHook', 'LrUpdaterHook', 'MomentumUpdaterHook'],
    '.iter_based_runner': ['IterBasedRunner'],
    '.iter_loader': ['IterLoader'],
    '.log_buffer': ['LogBuffer'],
    '.optimizer': ['OPTIMIZERS', 'OPTIMIZER_BUILDERS', 'DefaultOptimizerConstructor',
                   'build_optimizer', 'build_optimizer_constructor'],
    '.precision': ['Precision', 'precision_from_config'],
    '.priority': ['Priority', 'get_priority'],
    '.utils': ['get_host_info', 'get_time_str', 'obj_from_dict', 'set_random_seed'],
})
