"""Builds a runner, where a config names no other constructor."""
from typing import Any

from ..utils.errors import ConfigTypeError
from .builder import RUNNER_BUILDERS, RUNNERS


@RUNNER_BUILDERS.register_module()
class DefaultRunnerConstructor:
    """Builds a runner from its config and the arguments that come from outside of it.

    A constructor of one's own, such as one that gives the runner a new attribute, is registered in
    RUNNER_BUILDERS and named in the config: runner = dict(..., constructor='Mine').
    """

    def __init__(self, runner_cfg: dict[str, Any],
                 default_args: dict[str, Any] | None = None) -> None:
        if not isinstance(runner_cfg, dict):
            raise ConfigTypeError(f'runner is a dict with a type, not {runner_cfg!r}')
        self.runner_cfg = runner_cfg
        self.default_args = default_args

    def __call__(self) -> Any:
        return RUNNERS.build(self.runner_cfg, default_args=self.default_args)
