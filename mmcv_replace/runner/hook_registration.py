"""Adds hooks to a runner, from objects and from the sections of a config."""
import bisect
import copy
from typing import Any

from ..utils import build_from_cfg
from ..utils.errors import ConfigError, ConfigTypeError
from .hook import HOOKS, Hook
from .priority import Priority, get_priority

HookConfig = dict[str, Any] | Hook | None


class HookRegistration:
    """The part of a runner that holds its hooks, in the order in which they run.

    `counts_by_epoch`: whether hooks count epochs where their config does not set `by_epoch`.
    """

    counts_by_epoch = True

    def __init__(self) -> None:
        self._hooks: list[Hook] = []

    @property
    def hooks(self) -> list[Hook]:
        return self._hooks

    def register_hook(self, hook: Hook, priority: int | str | Priority = 'NORMAL') -> None:
        """Add a hook; of equal priorities the one registered first runs first."""
        if not isinstance(hook, Hook):
            raise ConfigTypeError(f'{hook!r} is not a hook: derive its class from '
                              'mmcv_replace.runner.Hook')
        hook.priority = get_priority(priority)
        bisect.insort_right(self._hooks, hook, key=lambda other: other.priority)

    def register_hook_from_cfg(self, hook_cfg: dict[str, Any]) -> None:
        """Build a hook from a dict, which may have a `priority`, and add it."""
        hook_cfg = copy.copy(hook_cfg)
        priority = hook_cfg.pop('priority', None)
        hook = build_from_cfg(hook_cfg, HOOKS)
        self.register_hook(hook, hook.default_priority if priority is None else priority)

    def register_lr_hook(self, lr_config: HookConfig) -> None:
        self._register(lr_config, 'lr_config', 'VERY_HIGH', policy_suffix='LrUpdaterHook')

    def register_momentum_hook(self, momentum_config: HookConfig) -> None:
        self._register(momentum_config, 'momentum_config', 'HIGH',
                       policy_suffix='MomentumUpdaterHook')

    def register_optimizer_hook(self, optimizer_config: HookConfig) -> None:
        self._register(optimizer_config, 'optimizer_config', 'ABOVE_NORMAL',
                       default='OptimizerHook', counts=False)

    def register_checkpoint_hook(self, checkpoint_config: HookConfig) -> None:
        self._register(checkpoint_config, 'checkpoint_config', 'NORMAL', default='CheckpointHook')

    def register_logger_hooks(self, log_config: dict[str, Any] | None) -> None:
        """`log_config`: dict(interval=..., hooks=[dict(type='TextLoggerHook'), ...])."""
        if log_config is None:
            return
        for index, hook_cfg in enumerate(log_config.get('hooks', ())):
            if 'interval' in log_config and isinstance(hook_cfg, dict):
                hook_cfg = copy.copy(hook_cfg)
                hook_cfg.setdefault('interval', log_config['interval'])
            self._register(hook_cfg, f'log_config.hooks.{index}', 'VERY_LOW')

    def register_timer_hook(self, timer_config: HookConfig) -> None:
        self._register(timer_config, 'timer_config', 'LOW', default='IterTimerHook', counts=False)

    def register_profiler_hook(self, profiler_config: HookConfig) -> None:
        self._register(profiler_config, 'profiler_config', 'NORMAL', default='ProfilerHook')

    def register_custom_hooks(self, custom_config: HookConfig | list[HookConfig]) -> None:
        """Add hooks of the user: a dict, which may have a `priority`, a hook, or a list of them."""
        if custom_config is None:
            return
        for item in custom_config if isinstance(custom_config, list) else [custom_config]:
            if isinstance(item, dict):
                self.register_hook_from_cfg(item)
            else:
                self._register(item, 'custom_hooks', 'NORMAL')

    def register_training_hooks(
            self, lr_config: HookConfig, optimizer_config: HookConfig = None,
            checkpoint_config: HookConfig = None, log_config: dict[str, Any] | None = None,
            momentum_config: HookConfig = None,
            timer_config: HookConfig = dict(type='IterTimerHook'),  # noqa: B006
            custom_hooks_config: HookConfig | list[HookConfig] = None, *,
            nonfinite: HookConfig = None) -> None:
        """Add the hooks of every training; each argument is a dict, a hook, or None for none.

        CheckInvalidLossHook is added too, with the options `nonfinite`.
        """
        self.register_lr_hook(lr_config)
        self.register_momentum_hook(momentum_config)
        self.register_optimizer_hook(optimizer_config)
        # After the step, which it may prevent, and before all hooks that use its result.
        if nonfinite is None or isinstance(nonfinite, dict):
            nonfinite = copy.copy(nonfinite or {})
            if log_config is not None and 'interval' in log_config:
                nonfinite.setdefault('interval', log_config['interval'])
        self._register(nonfinite, 'nonfinite', 'ABOVE_NORMAL', default='CheckInvalidLossHook',
                       counts=False)
        self.register_checkpoint_hook(checkpoint_config)
        self.register_timer_hook(timer_config)
        self.register_logger_hooks(log_config)
        self.register_custom_hooks(custom_hooks_config)

    def _register(self, cfg: HookConfig, key: str, priority: str, default: str | None = None,
                  policy_suffix: str | None = None, counts: bool = True) -> None:
        """Add the hook of the config's section `key`, which is a dict or a hook already."""
        if isinstance(cfg, dict):
            cfg = copy.copy(cfg)
            if counts and not self.counts_by_epoch:
                cfg.setdefault('by_epoch', False)
            if policy_suffix is not None and 'type' not in cfg:
                cfg['type'] = _policy_class(cfg, key, policy_suffix)
            elif default is not None:
                cfg.setdefault('type', default)
            cfg = build_from_cfg(cfg, HOOKS)
        elif cfg is not None and not isinstance(cfg, Hook):
            raise ConfigTypeError(f'{key} is a dict, a hook or None, not {cfg!r}')
        if cfg is not None:
            self.register_hook(cfg, priority)

    def call_hook(self, fn_name: str, *args: Any) -> None:
        """Call a method of every hook, in the order of their priorities."""
        for hook in self._hooks:
            getattr(hook, fn_name)(self, *args)

    def get_hook_info(self) -> str:
        """The hooks at each stage, in the order in which they run."""
        lines = []
        for stage in Hook.stages:
            acting = [f'{type(hook).__name__} ({hook.priority})' for hook in self._hooks
                      if stage in hook.get_triggered_stages()]
            if acting:
                lines.append(f'{stage}: {", ".join(acting)}')
        return '\n'.join(lines)


def _policy_class(cfg: dict[str, Any], key: str, suffix: str) -> str:
    """Name of the hook for a `policy` such as 'poly' or 'CosineAnnealing' in any case and style."""
    policy = cfg.pop('policy', None)
    if not isinstance(policy, str):
        raise ConfigError(f"{key} needs the name of a policy, such as policy='step', "
                          f'not {policy!r}')
    wanted = f'{policy.replace("_", "")}{suffix}'.lower()
    return next((name for name in HOOKS if name.lower() == wanted), f'{policy}{suffix}')
