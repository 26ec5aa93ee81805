"""ReportHook in whole trainings of a tiny model."""
import json

import pytest

from mmcv_replace.runner import HOOKS
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import MissingModuleError
from mmseg.core import EvalHook
from mmseg.report import hook as hook_file
from mmseg.report import plotly_file
from mmseg.report.hook import ReportHook

from ..core.evaluation.conftest import (  # noqa: F401
    dataset,
    make_loader,
    make_runner,
    model,
    train_loader,
)
from .test_page import read_data, text_of

pytest.importorskip('plotly')


@pytest.fixture
def train(make_runner, make_loader, train_loader):  # noqa: F811
    """Runs a training of `length` with a report, evaluated every second iteration (each epoch)."""
    def run(length=4, by_epoch=False, logger='TextLoggerHook', hook=None, resume=None, **options):
        runner = make_runner(EvalHook(make_loader(), interval=1 if by_epoch else 2,
                                      by_epoch=by_epoch, pictures=2), length, by_epoch, **options)
        runner.meta['run_id'] = 'a'
        runner.register_hook_from_cfg({'type': 'IterTimerHook'})
        runner.register_logger_hooks(dict(interval=1, hooks=[
            dict(type=logger, by_epoch=by_epoch)] if logger else []))
        runner.register_hook_from_cfg(hook or dict(type='ReportHook'))
        if resume is not None:
            runner.resume(resume)
        runner.run([train_loader], [('train', 1)])
        return runner
    return run


@pytest.fixture
def pages(monkeypatch):
    """Number of records of evaluations in each page that is written."""
    written = []
    write = hook_file.write_report

    def note(places, out):
        path = write(places, out)
        written.append(len(read_data(path, 'charts')['scores']['data'][0]['x']))
        return path
    monkeypatch.setattr(hook_file, 'write_report', note)
    return written


@pytest.mark.parametrize('by_epoch', [False, True])
def test_a_page_after_each_evaluation_and_at_the_end(train, tmp_path, pages, by_epoch):
    train(3 if by_epoch else 6, by_epoch)
    assert pages == [1, 2, 3, 3]  # each holds the scores of the evaluation before it
    page = tmp_path / 'report.html'
    log, = tmp_path.glob('*.log.json')
    val = [line for line in map(json.loads, log.read_text().splitlines())
           if line.get('mode') == 'val']
    charts = read_data(page, 'charts')
    assert charts['scores']['data'][0]['y'] == pytest.approx([line['mIoU'] for line in val])
    assert 'confusion0' in charts
    frames = read_data(page, 'frames0')
    assert len(frames) == 3
    assert all(len(frame['samples']) == 2 for frame in frames)
    assert text_of(page).count('data-sample=') == 2 + 7  # all images are among the worst


def test_a_resumed_run_is_shown_as_a_whole(train, tmp_path):
    half = train(4).save_checkpoint(tmp_path, 'half.pth')
    log, = tmp_path.glob('*.log.json')
    log.rename(tmp_path / '20200101_000000.log.json')  # as if it had begun in another second
    train(6, resume=half)
    page = tmp_path / 'report.html'
    assert 'resumed at iteration 4 (log' in text_of(page)
    assert read_data(page, 'charts')['losses']['data'][0]['x'] == [1, 2, 3, 4, 5, 6]
    assert len(read_data(page, 'frames0')) == 3


def test_the_name_of_the_file(train, tmp_path):
    train(hook=dict(type='ReportHook', name='look.html'))
    assert (tmp_path / 'look.html').exists()
    assert not (tmp_path / 'report.html').exists()


def test_an_error_of_the_page_is_a_warning(train, tmp_path, monkeypatch, caplog):
    def fail(*args):
        raise RuntimeError('no ink')
    monkeypatch.setattr(hook_file, 'write_report', fail)
    monkeypatch.setattr(hook_file, 'store_pictures', fail)
    assert train(4).iter == 4
    assert 'ReportHook cannot write the page: RuntimeError: no ink' in caplog.text
    assert 'ReportHook cannot keep the pictures of this evaluation: RuntimeError: no ink' in (
        caplog.text)


def test_a_full_disk_is_a_warning(train, tmp_path, caplog):
    (tmp_path / 'evaluations').write_text('in the way')
    (tmp_path / 'report.html').mkdir()
    assert train(4).iter == 4
    assert 'ReportHook cannot write the page: DataError: cannot write the page' in caplog.text


@pytest.mark.parametrize(('options', 'told'), [
    (dict(logger=None), 'log_config.hooks has no TextLoggerHook'),
    (dict(work_dir=None), 'the run has no work_dir')])
def test_a_run_without_records_is_warned(train, tmp_path, caplog, options, told):
    train(2, **options)
    assert told in caplog.text
    assert not (tmp_path / 'report.html').exists()


def test_other_processes_write_nothing(train, tmp_path, monkeypatch):
    monkeypatch.setattr('mmcv_replace.runner.base_runner.get_dist_info', lambda: (1, 2))
    monkeypatch.setattr(hook_file, 'store_pictures', None)
    monkeypatch.setattr(hook_file, 'write_report', None)
    train(4)
    assert not (tmp_path / 'report.html').exists()


def test_a_missing_plotly_is_refused_at_the_start(monkeypatch):
    monkeypatch.setattr(plotly_file, 'find_spec', lambda name: None)
    with pytest.raises(MissingModuleError, match='ReportHook in custom_hooks draws its charts with '
                       'plotly, which is not installed: pip install'):
        build_from_cfg(dict(type='ReportHook'), HOOKS)


def test_it_runs_after_the_loggers_and_acts_in_no_iteration(make_runner):  # noqa: F811
    runner = make_runner(ReportHook())
    runner.register_logger_hooks(dict(interval=1, hooks=[dict(type='TextLoggerHook')]))
    runner.register_hook_from_cfg(dict(type='ReportHook'))
    assert isinstance(runner.hooks[-1], ReportHook)
