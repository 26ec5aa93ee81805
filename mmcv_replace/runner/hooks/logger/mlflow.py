"""MLflow: curves, pictures, settings and files of a run."""
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ...base_runner import BaseRunner
from ...hook import HOOKS
from .background import FAILURES
from .tracked_run import TrackedRun
from .tracker import TrackerHook
from .tracker_names import TrackerNames

# Requests for which the training waits: those at the start and at the end.
BRIEF = {'MLFLOW_HTTP_REQUEST_TIMEOUT': '10', 'MLFLOW_HTTP_REQUEST_MAX_RETRIES': '1'}
SERVER_FAILS = 500  # status of an answer, from here on; also of none
BATCH = 100  # the most parameters that a server takes at once
FORBIDDEN = r'[^\w\-. ]'  # in names; letters of any script are fine
LONGEST = 6000  # characters of a parameter's value
# Otherwise MLflow loads the model in another process to find them, which fails on some clusters.
REQUIREMENTS = ['torch', 'mmseg-ascend']


@HOOKS.register_module()
class MlflowLoggerHook(TrackerHook):
    """Shows a run in MLflow, see TrackerHook.

    Where no tracking server or store is set (`tracking_uri`, MLFLOW_TRACKING_URI or
    mlflow.set_tracking_uri), or where it does not answer at the start, the run is kept in the
    database mlflow.db of the work directory.
    Names of curves hold the characters that MLflow accepts, see TrackerNames.

    `exp_name`: name of the experiment. `tags` and `params` of the run, beside the settings of the
    config. `log_model`: send the model after the run, with mlflow.pytorch. `tracking`: options of
    TrackerHook. A run of MLflow that is active already is used, and not ended.
    """

    package = 'mlflow'
    starts_behind = False  # code of users finds the active run in its own thread alone

    def __init__(self, exp_name: str | None = None, tags: dict[str, Any] | None = None,
                 params: dict[str, Any] | None = None, log_model: bool = True, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, by_epoch: bool = True, *,
                 tracking_uri: str | None = None, **tracking: Any) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch, **tracking)
        self.import_mlflow()
        self.exp_name = exp_name
        self.tags = tags
        self.params = params
        self.log_model = log_model
        self.tracking_uri = tracking_uri
        self._own_run = False
        self._former_uri: str | None = None

    def import_mlflow(self) -> None:
        """Set `mlflow` and `mlflow_pytorch` to the packages."""
        self.mlflow = self.load_package('mlflow', 'mlflow')
        self.load_package('mlflow.pytorch', 'mlflow')
        self.mlflow_pytorch = self.mlflow.pytorch

    def start(self, run: TrackedRun) -> str:
        mlflow = self.mlflow
        self._names, self._parameter_names = TrackerNames(FORBIDDEN), TrackerNames(FORBIDDEN)
        with brief_requests():
            active = mlflow.active_run()
            self._own_run = active is None
            if active is None:
                own = self._choose_store(run)
                try:
                    active = self._begin_run(run, own)
                except mlflow.exceptions.MlflowException as error:
                    if own or run.work_dir is None:
                        raise
                    self._fallback = f'{mlflow.get_tracking_uri()} failed ({error})'
                    self._set_store(_store_in(run.work_dir))
                    active = self._begin_run(run, own=True)
            self._id = active.info.run_id
            self._client = mlflow.MlflowClient()
        self._sent = run.state.go_on_with(self._id)
        self._call(self._send_settings, run)
        uri = mlflow.get_tracking_uri()
        look = f', `mlflow ui --backend-store-uri {uri}` shows it' if 'sqlite:' in uri else ''
        choose = '' if self._fallback else (
            '. A server is chosen by tracking_uri or MLFLOW_TRACKING_URI')
        return f'run {self._id} in {uri}{look}{choose}'

    def _choose_store(self, run: TrackedRun) -> bool:
        """Set the user's store, or that of the work directory; returns whether it is this one."""
        own = (self.tracking_uri is None and run.work_dir is not None
               and not self.mlflow.is_tracking_uri_set())
        if own or self.tracking_uri is not None:
            self._set_store(_store_in(run.work_dir) if own else self.tracking_uri)
        return own

    def _set_store(self, uri: str) -> None:
        if self._former_uri is None:
            known = self.mlflow.is_tracking_uri_set()
            self._former_uri = self.mlflow.get_tracking_uri() if known else ''
        self.mlflow.set_tracking_uri(uri)

    def _begin_run(self, run: TrackedRun, own: bool) -> Any:
        """Go on with the run of an earlier process, or begin one; `own`: in the work directory."""
        mlflow, name = self.mlflow, self.exp_name or (run.name if own else None)
        if own and mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(
                name, artifact_location=Path(run.work_dir, 'mlartifacts').as_uri())
        if name is not None:
            mlflow.set_experiment(name)
        # One was perhaps begun in the work directory, while the server did not answer.
        known = next(filter(self._is_there, run.state.ids()), None)
        return mlflow.start_run(run_id=known, run_name=run.name)

    def _is_there(self, run_id: str) -> bool:
        try:
            info = self.mlflow.MlflowClient().get_run(run_id).info
        except self.mlflow.exceptions.MlflowException as error:
            if error.get_http_status_code() >= SERVER_FAILS:
                raise
            return False  # it is in another store
        return info.lifecycle_stage != 'deleted'

    def _send_settings(self, run: TrackedRun) -> None:
        if self.tags:
            for name, value in self.tags.items():
                self._client.set_tag(self._id, name, value)
        # A parameter cannot change, not even from auto_resume=False to True.
        known = self._client.get_run(self._id).data.params
        parameters = {self._parameter_names[name]: str(value)[:LONGEST]
                      for name, value in {**run.parameters(), **(self.params or {})}.items()}
        for batch in _batches({name: value for name, value in parameters.items()
                               if name not in known}):
            self.mlflow.log_params(batch, run_id=self._id, synchronous=True)
        for name, text in run.texts.items():
            self._client.log_text(self._id, text, name)

    def send_scalars(self, step: int, scalars: dict[str, Any]) -> None:
        for batch in _batches({self._names[name]: float(value)
                               for name, value in scalars.items()}):
            self.mlflow.log_metrics(batch, step=step, run_id=self._id, synchronous=True)

    def send_picture(self, step: int, name: str, caption: str, picture: np.ndarray) -> None:
        self._client.log_image(self._id, picture, key=self._names[name], step=step,
                               synchronous=True)

    def send_checkpoint(self, path: str, kind: str) -> None:
        self._client.log_artifact(self._id, path, 'checkpoints')

    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if runner.rank != 0 or self._run is None:
            return
        error = sys.exc_info()[1]  # with which the run ends
        # In this thread, in which alone the run is active.
        if not self._failed and self.log_model and error is None and self._all_sent:
            self._attempt(runner, 'the model is not sent', self._send_model, runner.unwrapped_model)
        if not self._failed and self._own_run:
            self._attempt(runner, 'the end of the run is not noted', self._end_run, error)
        if self._former_uri is not None:
            self.mlflow.set_tracking_uri(self._former_uri or None)
            self._former_uri = None

    def _attempt(self, runner: BaseRunner, loss: str, function: Callable[..., None],
                 *args: Any) -> None:
        try:
            function(*args)
        except FAILURES as error:
            runner.logger.warning('%s: %s (%s: %s)', type(self).__name__, loss,
                                  type(error).__name__, error)

    def _send_model(self, model: nn.Module) -> None:
        log_model = self.mlflow_pytorch.log_model
        # The other form of newer versions needs an example of the input.
        newer = 'serialization_format' in inspect.signature(log_model).parameters
        log_model(model, name='models', pip_requirements=REQUIREMENTS,
                  **({'serialization_format': 'pickle'} if newer else {}))

    def _end_run(self, error: BaseException | None) -> None:
        with brief_requests():
            self.mlflow.end_run('FINISHED' if error is None else
                                'FAILED' if isinstance(error, Exception) else 'KILLED')


def _store_in(work_dir: str) -> str:
    return f'sqlite:///{Path(work_dir, "mlflow.db")}'


@contextmanager
def brief_requests() -> Iterator[None]:
    """Let requests to a server fail soon, unless the user says how long they may take."""
    added = {name: value for name, value in BRIEF.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _batches(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    items = iter(values.items())
    while batch := dict(islice(items, BATCH)):
        yield batch
