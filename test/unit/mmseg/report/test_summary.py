"""Figures of a run against logs written by hand."""
import json
import platform

import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.report.summary import RunSummary, format_final_lines, format_result, summarize_run

FACTS = dict(network='PSPNet', rank_size=8, batch_size=16, seconds=321)


def train(iteration, fps, loss):
    return {'mode': 'train', 'epoch': 1, 'iter': iteration, 'time': 9.9, 'fps': fps, 'loss': loss}


def val(iteration, miou):
    return {'mode': 'val', 'epoch': 1, 'iter': iteration, 'aAcc': 0.9, 'mIoU': miou}


@pytest.fixture
def write_log(tmp_path):
    def write(*lines, name='20260102_000000'):
        text = [line if isinstance(line, str) else json.dumps(line)
                for line in ({'seed': 0, 'exp_name': 'x'}, *lines)]
        (tmp_path / f'{name}.log.json').write_text('\n'.join(text) + '\n')
        return tmp_path
    return write


def test_figures(write_log):
    # 128 images a step: 50 steps in 64 s, then 50 in 32 s: 12800 images in 96 s.
    summary = summarize_run(write_log(
        train(50, 100.0, 2.0), train(100, 200.0, 1.5), val(100, 0.5), val(200, 0.625)))
    assert summary == RunSummary(fps=pytest.approx(12800 / 96), loss=1.5, miou=0.625)


def test_the_first_five_iterations_are_left_out(write_log):
    lines = [train(i, fps, 1.0) for i, fps in enumerate((1, 2, 3, 4, 5, 60, 60), start=1)]
    assert summarize_run(write_log(*lines)).fps == pytest.approx(60)


def test_a_run_of_five_iterations_has_only_those(write_log):
    assert summarize_run(write_log(train(2, 10.0, 1), train(4, 30.0, 1))).fps == pytest.approx(15)


def test_a_line_over_the_first_iterations_counts(write_log):
    """The timer has left the first ones out of it."""
    assert summarize_run(write_log(train(50, 30.0, 1))).fps == pytest.approx(30)


def test_the_averaged_weights_count_where_only_they_were_scored(write_log):
    averaged = {'mode': 'val', 'epoch': 1, 'iter': 50, 'mIoU_ema': 0.75}
    assert summarize_run(write_log(train(50, 30.0, 1), averaged)).miou == 0.75
    assert summarize_run(write_log(train(50, 30.0, 1), averaged | {'mIoU': 0.5})).miou == 0.5


def test_without_an_evaluation_there_is_no_miou(write_log):
    assert summarize_run(write_log(train(50, 30.0, 1))).miou is None


def test_the_newest_run_counts(write_log):
    write_log(train(50, 10.0, 1), name='20260102_000000')
    folder = write_log(train(50, 20.0, 1), name='20260103_000000')
    write_log(train(50, 30.0, 1), name='20251231_000000')
    assert summarize_run(folder).fps == pytest.approx(20)


def test_scores_of_a_test(tmp_path):
    (tmp_path / 'eval_20260102_000000.json').write_text('{"mIoU": 0.25, "aAcc": 0.5}')
    (tmp_path / 'eval_20260103_000000.json').write_text('{"mIoU": 0.75, "aAcc": 0.5}')
    assert summarize_run(tmp_path) == RunSummary(miou=0.75)


def test_the_result_file():
    text = format_result(RunSummary(fps=119.8412, loss=0.25, miou=0.75224), 'PSPNet_x', **FACTS)
    assert text == f'''\
Network = PSPNet
RankSize = 8
BatchSize = 16
DeviceType = {platform.machine()}
CaseName = PSPNet_x
ActualFPS = 119.84
TrainingTime = 1068.08
mIoU = 0.7522
ActualLoss = 0.2500
E2ETrainingTime = 321
'''


def test_what_was_not_measured():
    text = format_result(RunSummary(), 'x', **FACTS)
    assert [line.split(' = ')[0] for line in text.splitlines() if line.endswith(' = NA')] == [
        'ActualFPS', 'TrainingTime', 'mIoU', 'ActualLoss']
    assert format_final_lines(RunSummary(), 5) == 'E2E Training Duration sec : 5'


def test_final_lines():
    assert format_final_lines(RunSummary(fps=119.8412, miou=0.75224), 321).splitlines() == [
        'Final Performance images/sec : 119.84', 'Final mIoU : 0.7522',
        'E2E Training Duration sec : 321']


@pytest.mark.parametrize(('lines', 'message'), [
    ([], r'000000\.log\.json has no line of training'),
    ([val(1, 0.5)], 'has no line of training'),
])
def test_a_log_without_figures(write_log, lines, message):
    with pytest.raises(DataError, match=message):
        summarize_run(write_log(*lines))


def test_a_line_that_was_cut_off_is_told_and_left_out(write_log, caplog):
    assert summarize_run(write_log(train(50, 30.0, 1), '{"mode": "tr')).fps == pytest.approx(30)
    assert '000000.log.json: line 3 is cut off' in caplog.text


def test_numbers_that_were_not_finite(write_log):
    summary = summarize_run(write_log(train(50, 30.0, None), val(50, None)))
    assert (summary.loss, summary.miou) == (None, None)


def test_a_log_without_rates(write_log):
    """As those of mmsegmentation 0.x."""
    line = train(50, 30.0, 1)
    del line['fps']
    assert summarize_run(write_log(line)) == RunSummary(loss=1)


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(DataError, match=r'neither TIME\.log\.json .* nor eval_TIME\.json'):
        summarize_run(tmp_path)
