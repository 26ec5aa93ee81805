"""The base class of the loggers of services that also keep a run offline, to be sent later."""
from abc import abstractmethod
from typing import Any

from ....utils.errors import ConfigError
from ....utils.suggest import did_you_mean
from ...base_runner import BaseRunner
from .tracked_run import TrackedRun
from .tracker import TrackerHook


class CloudTrackerHook(TrackerHook):
    """Base of the loggers of services that also keep a run offline.

    A run is online if the user chose that mode or has an API key, and otherwise kept in the work
    directory. If the service does not answer at the start, the run is kept there too. Nothing is
    asked on the terminal: to be online without a key is refused.

    `init_kwargs`: arguments of the package's `init`, before ours. The name of the `package` is that
    of its command too.
    """

    online = ('online',)  # modes that need a key
    other_modes = ('offline', 'disabled')

    def __init__(self, init_kwargs: dict[str, Any] | None, interval: int, ignore_last: bool,
                 reset_flag: bool, by_epoch: bool, **tracking: Any) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch, **tracking)
        self.init_kwargs = init_kwargs

    @abstractmethod
    def chosen_mode(self) -> str | None:
        """The mode that the user chose; None if nobody did."""

    @abstractmethod
    def has_key(self) -> bool:
        """Whether the package would find credentials."""

    @abstractmethod
    def connect(self, options: dict[str, Any]) -> None:
        """Begin the run, with arguments of the package's `init`."""

    @abstractmethod
    def disconnect(self) -> None:
        """Clear up after a `connect` that failed."""

    @abstractmethod
    def options_of(self, run: TrackedRun) -> dict[str, Any]:
        """Arguments of the package's `init` that are ours, where the user gives no others."""

    @abstractmethod
    def where(self) -> tuple[bool, str]:
        """Whether the run is online, and its address or folder."""

    @abstractmethod
    def run_id(self) -> str:
        """That which the package gave to the run."""

    @abstractmethod
    def send_settings(self, run: TrackedRun) -> None:
        """Send what is known of the run beside the arguments of `init`."""

    def before_run(self, runner: BaseRunner) -> None:
        modes = (*self.online, *self.other_modes)
        if runner.rank == 0 and self.chosen_mode() not in (None, *modes):
            raise ConfigError(f'{type(self).__name__}: {self.chosen_mode()!r} is no mode of '
                              f'{self.package}; init_kwargs.mode or {self.package.upper()}_MODE is '
                              f'one of {", ".join(modes)}{did_you_mean(self.chosen_mode(), modes)}')
        if runner.rank == 0 and self.chosen_mode() in self.online and not self.has_key():
            raise ConfigError(
                f'{type(self).__name__}: the mode {self.chosen_mode()!r} needs an API key: call '
                f'`{self.package} login` or set {self.package.upper()}_API_KEY, or keep the run '
                f"with init_kwargs=dict(mode='offline') and send it later by `{self.package} sync`")
        super().before_run(runner)

    def start(self, run: TrackedRun) -> str:
        options = self.options_of(run) | (self.init_kwargs or {})
        config = options.get('config') or {}
        if isinstance(config, dict):
            options['config'] = {**run.config, 'environment': run.environment, **config}
        mode = self.chosen_mode() or ('online' if self.has_key() else 'offline')
        try:
            self.connect({**options, 'mode': mode})
        except Exception as error:  # of whatever kind
            if mode not in self.online:
                raise
            self._fallback = f'online it failed ({type(error).__name__}: {error})'
            self.disconnect()
            self.connect({**options, 'mode': 'offline'})
        if mode == 'disabled':
            return 'disabled, nothing is kept'
        run.state.note(id=self.run_id())
        self._call(self.send_settings, run)
        online, place = self.where()
        if online:
            return place
        kept = f'kept offline, `{self.package} sync {place}` sends it'
        return kept if self._fallback else (
            f'{kept}. For online runs call `{self.package} login` or set '
            f'{self.package.upper()}_API_KEY')
