"""Curves drawn by matplotlib, times of iterations, and the command line of both."""
import warnings

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from mmcv_replace.utils.errors import ConfigError, DataError, MissingModuleError
from mmseg.report import plot
from mmseg.report.plot import PlotOptions, plot_curves
from mmseg.report.train_time import format_train_time

from ...tools.conftest import run_tool  # noqa: F401
from ..visualization.conftest import no_fonts  # noqa: F401
from .conftest import train_record, val_record, write_log, write_record


@pytest.fixture
def pyplot(monkeypatch):
    """matplotlib, whose figures stay open, and whose settings return."""
    matplotlib = pytest.importorskip('matplotlib')
    matplotlib.use('agg')
    from matplotlib import pyplot
    monkeypatch.setattr(pyplot, 'close', lambda figure=None: None)
    with matplotlib.rc_context():
        yield pyplot
    monkeypatch.undo()
    pyplot.close('all')


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path, train_record(50, 2.0), train_record(100, 1.5), val_record(100, 0.25),
                     train_record(150, 1.0), train_record(200, 0.5), val_record(200, 0.5))


def curves(pyplot):
    axes, = pyplot.gcf().axes
    return axes, {line.get_label(): line for line in axes.lines}


def test_curves_are_those_of_the_log(log, tmp_path, pyplot):
    out = tmp_path / 'sub/x.png'
    plot_curves([str(log)], PlotOptions(['loss', 'mIoU'], title='A title', out=str(out)))
    axes, lines = curves(pyplot)
    loss, miou = lines[f'{log}_loss'], lines[f'{log}_mIoU']
    assert loss.get_xydata().tolist() == [[50, 2], [100, 1.5], [150, 1], [200, 0.5]]
    assert miou.get_xydata().tolist() == [[100, 0.25], [200, 0.5]]
    assert (loss.get_marker(), miou.get_marker()) == ('None', 'o')
    assert (axes.get_title(), axes.get_xlabel()) == ('A title', 'iteration')
    assert cv2.imread(str(out)).shape[2] == 3


def test_scores_of_classes_are_those_of_the_records(tmp_path, pyplot):
    log = write_log(tmp_path, val_record(100, 0.25), val_record(200, 0.5), run_id='a')
    for done, averaged, value in ((200, False, 0.5), (100, False, 0.25), (200, True, 0.75)):
        write_record(tmp_path, done, {'IoU.人 1': value}, run_id='a', averaged=averaged)
    plot_curves([str(log)], PlotOptions(['IoU.人 1', 'IoU.人 1_ema'], legend=['a', 'b'],
                                        out=str(tmp_path / 'x.png')))
    _, lines = curves(pyplot)
    assert lines['a'].get_xydata().tolist() == [[100, 0.25], [200, 0.5]]
    assert lines['b'].get_xydata().tolist() == [[200, 0.75]]
    with pytest.raises(DataError, match=r"no 'IoU\.人'; did you mean 'IoU\.人 1'.* \(it has lr"):
        plot_curves([str(log)], PlotOptions(['IoU.人'], out='x.png'))


def test_legend_and_several_logs(log, pyplot, tmp_path):
    plot_curves([str(log), str(log.parent)], PlotOptions(['mIoU', 'lr'], legend=list('abcd'),
                                                         out=str(tmp_path / 'x.pdf')))
    axes, lines = curves(pyplot)
    assert list(lines) == list('abcd')
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list('abcd')
    with pytest.raises(ConfigError, match='--legend has 1 names for 2 curves'):
        plot_curves([str(log)], PlotOptions(['mIoU', 'lr'], legend=['a'], out='x.png'))


def test_style(log, pyplot, tmp_path):
    backgrounds = []
    for style in ('dark', 'white', 'classic'):
        out = tmp_path / f'{style}.png'
        plot_curves([str(log)], PlotOptions(style=style, out=str(out)))
        backgrounds.append(cv2.imread(str(out)))
    assert not np.array_equal(backgrounds[0], backgrounds[1])
    assert not np.array_equal(backgrounds[1], backgrounds[2])
    with pytest.raises(ConfigError, match="--style 'drak' is unknown; did you mean 'dark'"):
        plot_curves([str(log)], PlotOptions(style='drak', out=str(out)))


def test_backend(log, pyplot, tmp_path):
    plot_curves([str(log)], PlotOptions(backend='svg', out=str(tmp_path / 'x.svg')))
    assert pyplot.get_backend().lower() == 'svg'
    with pytest.raises(ConfigError, match='--backend none_such: '):
        plot_curves([str(log)], PlotOptions(backend='none_such'))


def test_without_out_a_window_opens(log, pyplot, monkeypatch):
    shown = []
    monkeypatch.setattr(pyplot, 'show', lambda: shown.append(1))
    monkeypatch.setattr(pyplot, 'get_backend', lambda: 'qtagg')
    plot_curves([str(log)], PlotOptions())
    assert shown == [1]
    monkeypatch.setattr(pyplot, 'get_backend', lambda: 'agg')
    with pytest.raises(ConfigError, match='no window can be opened here .* --out FILE.png'):
        plot_curves([str(log)], PlotOptions())


def test_a_key_that_is_not_there(log):
    pytest.importorskip('matplotlib')
    with pytest.raises(DataError, match=r"has no 'mIuO'; did you mean 'mIoU'\? \(it has lr, "):
        plot_curves([str(log)], PlotOptions(['mIuO']))


def test_a_file_that_cannot_be_written(log, pyplot, tmp_path):
    with pytest.raises(ConfigError, match='--out .*x.none'):
        plot_curves([str(log)], PlotOptions(out=str(tmp_path / 'x.none')))


def test_a_line_that_is_cut_off_is_told(tmp_path, pyplot, caplog):
    log = write_log(tmp_path, train_record(50), '{"mode"')
    plot_curves([str(log)], PlotOptions(['loss'], out=str(tmp_path / 'x.png')))
    assert 'line 3 is cut off' in caplog.text


def test_fonts_for_names_that_matplotlib_lacks(log, pyplot, tmp_path, monkeypatch):
    """One for each script, where no font has all of them."""
    from matplotlib import font_manager
    asked = []

    def choose(texts, size):
        asked.extend(texts)
        name = 'DejaVu Serif' if texts[0] == '\u4eba' else 'DejaVu Sans Mono'
        return [(ImageFont.truetype(font_manager.findfont(name), size), f'{texts[0].upper()}!')]

    monkeypatch.setattr(plot, 'choose_fonts', choose)
    out = str(tmp_path / 'x.png')
    plot_curves([str(log)], PlotOptions(legend=['plain'], out=out))
    assert asked == []
    shown = []
    monkeypatch.setattr(plot, '_give_out', lambda plt, figure, out: shown.extend(
        [figure.axes[0].get_title(),
         *(text.get_text() for text in figure.axes[0].get_legend().get_texts())]))
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph')  # of the fonts that stand in for others
        plot_curves([str(log)] * 2, PlotOptions(legend=['\u4eba', 't'], title='\u0416', out=out))
    assert asked == ['\u0416', '\u4eba']
    assert shown == ['\u0416!', '\u4eba!', 't']
    assert pyplot.rcParams['font.family'][-2:] == ['DejaVu Sans Mono', 'DejaVu Serif']


def test_names_that_no_font_has(log, pyplot, tmp_path, caplog):
    """One remark with a remedy, and none of matplotlib's warnings and boxes."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        plot_curves([str(log)], PlotOptions(legend=['\u4eba\u884c\u9053'], title='\u4eba',
                                            out=str(tmp_path / 'x.png')))
    assert caplog.text.count('no font that is installed') == 1
    assert 'MMSEG_FONT' in caplog.text


def test_without_matplotlib(log, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'matplotlib', None)
    with pytest.raises(MissingModuleError, match=r"analyze_logs\.py plot_curve needs matplotlib.*"
                       r"pip install 'matplotlib>=3\.8', or pip install -e \.\[plot\]"):
        plot_curves([str(log)], PlotOptions())


def times(tmp_path, *epochs):
    return str(write_log(tmp_path, *(
        train_record(number, epoch=epoch, time=time)
        for epoch, group in enumerate(epochs, start=1) for number, time in enumerate(group))))


def test_times(tmp_path):
    log = times(tmp_path, (9.0, 1.0, 2.0), (9.0, 2.0, 3.0), (9.0, 1.0))
    assert format_train_time(log).splitlines()[1:] == [
        'slowest epoch 2, average time is 2.5000', 'fastest epoch 3, average time is 1.0000',
        'time std over epochs is 0.6236', 'average iter time: 1.8000 s/iter']
    assert 'average iter time: 4.5000 s/iter' in format_train_time(log, include_outliers=True)
    assert log in format_train_time(log)


def test_times_of_a_work_directory(tmp_path):
    times(tmp_path, (9.0, 1.0, 2.0))
    assert 'average iter time: 1.5000' in format_train_time(str(tmp_path))


def test_too_few_times(tmp_path):
    log = times(tmp_path, (9.0,), (8.0,))
    with pytest.raises(DataError, match='beside the first of each epoch: --include-outliers'):
        format_train_time(log)
    assert 'average iter time: 8.5000' in format_train_time(log, include_outliers=True)
    for outliers in (False, True):
        with pytest.raises(DataError, match='has no time of an iteration: IterTimerHook'):
            format_train_time(str(write_log(tmp_path)), include_outliers=outliers)


@pytest.mark.parametrize('command', [(), ('plot_curve',)])
def test_the_command_line_of_both_versions(run_tool, log, tmp_path, monkeypatch, capsys,  # noqa: F811
                                           command):
    called = []
    monkeypatch.setattr(plot, 'plot_curves', lambda *args: called.append(args))
    run_tool('analyze_logs.py', *command, log, '--keys', 'mIoU', 'mAcc', '--title', 'T', '--legend',
             'a', 'b', '--backend', 'agg', '--style', 'ticks', '--out', 'x.png')
    assert called == [([str(log)], PlotOptions(['mIoU', 'mAcc'], 'T', ['a', 'b'], 'agg', 'ticks',
                                               'x.png'))]
    assert capsys.readouterr().out == 'save curve to: x.png\n'


def test_the_command_line_of_times(run_tool, tmp_path, capsys):  # noqa: F811
    log = times(tmp_path, (9.0, 1.0))
    run_tool('analyze_logs.py', 'cal_train_time', log)
    assert 'average iter time: 1.0000' in capsys.readouterr().out
    run_tool('analyze_logs.py', 'cal_train_time', log, '--include-outliers')
    assert 'average iter time: 5.0000' in capsys.readouterr().out
