"""Evaluation hooks of users that predict and score by themselves."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation import eval_hooks, read_evaluations, single_gpu_test


def test_a_hook_of_users_in_the_style_of_0x(make_runner, make_loader, dataset, train_loader,
                                            tmp_path):
    """Its scores count as any others: for the log, records, the best, and early stopping."""
    class Own(EvalHook):
        def _do_evaluate(self, runner):
            results = single_gpu_test(runner.model, self.dataloader, pre_eval=self.pre_eval)
            runner.log_buffer.clear()
            runner.log_buffer.output['eval_iter_num'] = len(self.dataloader)
            key_score = self.evaluate(runner, results)
            seen.append(key_score)
            if self.save_best:
                self._save_ckpt(runner, key_score)

    def scores(results, metric='mIoU', logger=None):
        assert len(results) == 7
        return {'mIoU': 0.5, 'IoU.road': 0.4}

    seen = []
    dataset.evaluate = scores
    runner = make_runner(Own(make_loader(), save_best='mIoU', pre_eval=False))
    runner.register_hook_from_cfg(dict(type='EarlyStoppingHook', patience=1))
    runner.run([train_loader], [('train', 1)])
    assert seen == [0.5, 0.5]
    assert runner.finished_iters == 2
    assert [(record.done, record.scores) for record in read_evaluations(tmp_path)] == [
        (done, {'mIoU': 0.5, 'IoU.road': 0.4}) for done in (1, 2)]
    assert runner.log_buffer.output == {'mIoU': 0.5}
    assert [path.name for path in tmp_path.glob('best*')] == ['best_mIoU_iter_1.pth']


def test_a_hook_of_users_that_predicts_itself_has_no_losses(make_runner, make_loader, dataset,
                                                            train_loader, monkeypatch):
    class Own(EvalHook):
        def _do_evaluate(self, runner):
            runner.log_buffer.output['mIoU'] = 0.5

    monkeypatch.setattr(eval_hooks.ValidationLoss, 'check', lambda self: [])
    runner = make_runner(Own(make_loader(), val_loss=True))
    with pytest.raises(ConfigError, match='val_loss=True: _do_evaluate of Own predicts in its own'):
        runner.run([train_loader], [('train', 1)])
