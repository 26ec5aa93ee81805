"""Scores a model in the course of its training, for data sets of any kind.

mmseg.core.evaluation has the hooks for segmentation.
"""
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from ...fileio import is_remote
from ...utils.errors import ConfigError, ConfigKeyError, ConfigTypeError
from ..base_runner import BaseRunner
from ..dist_utils import send_norm_statistics
from ..hook import Hook
from .places import ClientArgs, check_out_dir, delete_file, place_for, put_file


class EvalHook(Hook):
    """Every `interval` epochs (iterations unless `by_epoch`) score the model, first at `start`.

    If `start` is not above the current epoch or iteration, also once before the training.
    `test_fn(model, dataloader)` returns the predictions, by default mmcv_replace.engine's
    single_gpu_test, and the data set's `evaluate(results, logger=..., **eval_kwargs)` a dict of
    scores. `save_best`: the score by which the best checkpoint is kept in `out_dir` (by default the
    work directory) as best_SCORE_epoch_N.pth; 'auto': the first one. `rule`: 'greater' or 'less' is
    better; by default the name tells, by `greater_keys` and `less_keys`, whole names before parts.
    `file_client_args`: how to write to `out_dir`; by default its beginning tells, as in s3://.
    """

    rule_map: dict[str, Callable[[Any, Any], bool]] = {
        'greater': lambda value, best: value > best, 'less': lambda value, best: value < best}
    init_value_map = {'greater': float('-inf'), 'less': float('inf')}
    _default_greater_keys = ['acc', 'top', 'AR@', 'auc', 'precision', 'mAP', 'mDice', 'mIoU',
                             'mAcc', 'aAcc']
    _default_less_keys = ['loss']

    def __init__(self, dataloader: DataLoader, start: int | None = None, interval: int = 1,
                 by_epoch: bool = True, save_best: str | None = None, rule: str | None = None,
                 test_fn: Callable[..., Any] | None = None,
                 greater_keys: list[str] | None = None, less_keys: list[str] | None = None,
                 out_dir: str | Path | None = None, file_client_args: ClientArgs = None,
                 **eval_kwargs: Any) -> None:
        if not isinstance(dataloader, DataLoader):
            raise ConfigTypeError(f'dataloader is a DataLoader, not {type(dataloader).__name__}')
        if interval <= 0:
            raise ConfigError(f'EvalHook: interval={interval} is at least 1')
        if start is not None and start < 0:
            raise ConfigError(f'EvalHook: start={start} is not negative')
        if save_best is not None and not isinstance(save_best, str):
            raise ConfigError(f'EvalHook: save_best={save_best!r} is the name of a score or None')
        check_out_dir('EvalHook', out_dir, file_client_args)
        self.dataloader = dataloader
        self.start = start
        self.interval = interval
        self.by_epoch = by_epoch
        self.save_best = save_best
        self.test_fn = test_fn or self._default_test_fn()
        self.greater_keys = _as_list(greater_keys, self._default_greater_keys)
        self.less_keys = _as_list(less_keys, self._default_less_keys)
        self.out_dir = out_dir
        self.file_client_args = file_client_args
        self.eval_kwargs = eval_kwargs
        self.initial_flag = True  # nothing has been trained yet
        self.best_ckpt_path: str | None = None
        self.rule: str | None = rule
        self.key_indicator: str | None = None
        if save_best is not None:
            self._init_rule(rule, save_best)

    def _default_test_fn(self) -> Callable[..., Any]:
        from ...engine import single_gpu_test
        return single_gpu_test

    def _init_rule(self, rule: str | None, key_indicator: str) -> None:
        """Set `rule`, `key_indicator` and `compare_func` for a score."""
        if rule is not None and rule not in self.rule_map:
            raise ConfigKeyError(f"EvalHook: rule={rule!r} is 'greater', 'less' or None")
        if rule is None and key_indicator != 'auto':
            rule = infer_rule(key_indicator, self.greater_keys, self.less_keys)
        self.rule = rule
        self.key_indicator = key_indicator
        if rule is not None:
            self.compare_func = self.rule_map[rule]

    def before_run(self, runner: BaseRunner) -> None:
        if self.out_dir is None:
            self.out_dir = runner.work_dir
        elif runner.work_dir is not None and str(self.out_dir) != runner.work_dir:
            # Several runs may use the same folder.
            self.out_dir = place_for(self.out_dir, Path(runner.work_dir).name)
        if self.save_best is not None:
            self.best_ckpt_path = runner.hook_msgs.get('best_ckpt')

    def before_train_iter(self, runner: BaseRunner) -> None:
        if not self.by_epoch:
            self._evaluate_at_start(runner, runner.iter)

    def before_train_epoch(self, runner: BaseRunner) -> None:
        if self.by_epoch:
            self._evaluate_at_start(runner, runner.epoch)

    def after_train_iter(self, runner: BaseRunner) -> None:
        if not self.by_epoch and self._should_evaluate(runner):
            self._do_evaluate(runner)

    def after_train_epoch(self, runner: BaseRunner) -> None:
        if self.by_epoch and self._should_evaluate(runner):
            self._do_evaluate(runner)

    def _evaluate_at_start(self, runner: BaseRunner, done: int) -> None:
        if self.initial_flag and self.start is not None and done >= self.start:
            self._do_evaluate(runner)
        self.initial_flag = False

    def _should_evaluate(self, runner: BaseRunner) -> bool:
        """Whether an evaluation is due after this epoch or iteration."""
        done = (runner.epoch if self.by_epoch else runner.iter) + 1
        since_start = done - (self.start or 0)
        return since_start >= 0 and since_start % self.interval == 0

    def _do_evaluate(self, runner: BaseRunner) -> None:
        """Predict, score, log, and keep the best checkpoint."""
        results = self.test_fn(runner.model, self.dataloader)
        self._use_results(runner, results)

    def _use_results(self, runner: BaseRunner, results: Any) -> None:
        if self.save_best is not None:
            runner.collect_state()
        if runner.rank == 0:
            runner.log_buffer.output['eval_iter_num'] = len(self.dataloader)
            score = self.evaluate(runner, results)
            if self.save_best is not None and score is not None:
                self._save_ckpt(runner, score)

    def evaluate(self, runner: BaseRunner, results: Any) -> Any:
        """Score the predictions, and return the score that decides about the best checkpoint."""
        scores = self.dataloader.dataset.evaluate(results, logger=runner.logger,
                                                  **self.eval_kwargs)
        runner.log_buffer.output.update(scores or {})
        runner.log_buffer.ready = True
        if self.save_best is None:
            return None
        if not scores:
            warnings.warn('the data set returned no scores, so that no checkpoint is the best',
                          stacklevel=2)
            return None
        if self.key_indicator == 'auto':
            self._init_rule(self.rule, next(iter(scores)))
        if self.key_indicator not in scores:
            raise ConfigKeyError(f'evaluation.save_best={self.key_indicator!r} is not among the '
                                 f'scores of this evaluation: {", ".join(scores)}')
        return scores[self.key_indicator]

    def _save_ckpt(self, runner: BaseRunner, key_score: Any) -> None:
        """Write the checkpoint in place of the best one so far, if it is better."""
        best = runner.hook_msgs.get('best_score', self.init_value_map[self.rule])
        if not self.compare_func(key_score, best):
            return
        done = (runner.epoch if self.by_epoch else runner.iter) + 1
        unit = 'epoch' if self.by_epoch else 'iter'
        name = f'best_{self.key_indicator}_{unit}_{done}.pth'
        former, self.best_ckpt_path = self.best_ckpt_path, place_for(self.out_dir, name)
        runner.hook_msgs.update(best_score=key_score, best_ckpt=self.best_ckpt_path)
        remote = is_remote(self.out_dir, self.file_client_args)
        folder = Path(runner.work_dir if remote else self.out_dir)
        folder.mkdir(parents=True, exist_ok=True)
        runner.save_checkpoint(str(folder), filename_tmpl=name, create_symlink=False)
        if remote:
            put_file(folder / name, self.best_ckpt_path, self.file_client_args)
            (folder / name).unlink()
        if former is not None and former != self.best_ckpt_path:
            delete_file(former, self.file_client_args)
        runner.logger.info('best %s so far: %s, kept as %s', self.key_indicator, key_score,
                           self.best_ckpt_path)


class DistEvalHook(EvalHook):
    """EvalHook for several processes, whose predictions `test_fn` collects in the first one.

    `broadcast_bn_buffer`: first send the batch-norm statistics of the first process to all.
    `tmpdir` (by default a folder in the work directory) and `gpu_collect` are for `test_fn`, by
    default mmcv_replace.engine's multi_gpu_test.
    """

    def __init__(self, dataloader: DataLoader, start: int | None = None, interval: int = 1,
                 by_epoch: bool = True, save_best: str | None = None, rule: str | None = None,
                 test_fn: Callable[..., Any] | None = None,
                 greater_keys: list[str] | None = None, less_keys: list[str] | None = None,
                 broadcast_bn_buffer: bool = True, tmpdir: str | None = None,
                 gpu_collect: bool = False, out_dir: str | Path | None = None,
                 file_client_args: ClientArgs = None, **eval_kwargs: Any) -> None:
        super().__init__(dataloader, start, interval, by_epoch, save_best, rule, test_fn,
                         greater_keys, less_keys, out_dir, file_client_args, **eval_kwargs)
        self.broadcast_bn_buffer = broadcast_bn_buffer
        self.tmpdir = tmpdir
        self.gpu_collect = gpu_collect

    def _default_test_fn(self) -> Callable[..., Any]:
        from ...engine import multi_gpu_test
        return multi_gpu_test

    def _do_evaluate(self, runner: BaseRunner) -> None:
        if self.broadcast_bn_buffer:
            send_norm_statistics(runner.model)
        tmpdir = self.tmpdir or str(Path(runner.work_dir or '.', '.eval_hook'))
        results = self.test_fn(runner.model, self.dataloader, tmpdir=tmpdir,
                               gpu_collect=self.gpu_collect)
        self._use_results(runner, results)


def infer_rule(name: str, greater_keys: list[str], less_keys: list[str]) -> str:
    """'greater' or 'less', from the name of a score; ConfigError if it does not tell."""
    lower = name.lower()
    keys = {'greater': [key.lower() for key in greater_keys],
            'less': [key.lower() for key in less_keys]}
    for matches in (lambda key: key == lower, lambda key: key in lower):
        for rule, words in keys.items():
            if any(matches(word) for word in words):
                return rule
    raise ConfigError(f'which value of save_best={name!r} is better? Its name does not tell: give '
                      "rule='greater' or 'less'")


def _as_list(keys: list[str] | str | None, default: list[str]) -> list[str]:
    if keys is None:
        return default
    return [keys] if isinstance(keys, str) else list(keys)
