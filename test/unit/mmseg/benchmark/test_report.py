import json

import pytest

from mmseg.benchmark.report import Row, format_section, section_values, share_of_peak
from mmseg.benchmark.section import Section

SECTION = Section(title='a step', case='train', options={}, unit='step', images=4)
KEYS = {'key', 'name', 'torch', 'threads', 'seconds', 'median', 'low', 'high', 'images_per_second',
        'speedup_over', 'differences', 'resident_mb', 'allocated_mb', 'dtype', 'flops',
        'matmul_rate', 'share_of_peak'}


def make_row(key, label, seconds, **others):
    return Row(key=key, name=label, seconds=seconds, images=4, threads=2, torch='2.13.0', **others)


@pytest.fixture
def rows():
    return [make_row('own', 'this toolkit', [2.0, 1.0, 3.0], flops=10**12, matmul_rate=2e12,
                     allocated_mb=100.0, resident_mb=300.4),
            make_row('plain', 'plain PyTorch', [3.0, 3.0, 3.0], differences={'loss': 1e-7}),
            make_row('peer1', 'mmsegmentation 0.30.0', [4.0, 4.0, 5.0], differences={'loss': 0.0})]


def cells(text, subject):
    line = next(line for line in text.splitlines() if line.startswith(f'| {subject}'))
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_json_holds_every_figure(rows):
    values = json.loads(json.dumps(section_values(SECTION, rows)))
    assert (values['title'], values['unit'], values['images']) == ('a step', 'step', 4)
    assert [set(row) for row in values['subjects']] == [KEYS] * 3
    own = values['subjects'][0]
    assert own['seconds'] == [2.0, 1.0, 3.0]
    assert (own['median'], own['low'], own['high'], own['images_per_second']) == (2, 1, 3, 2)
    assert own['speedup_over'] == {'plain': 1.5, 'peer1': 2.0}
    assert own['share_of_peak'] == pytest.approx(0.25)
    assert values['subjects'][1]['speedup_over']['own'] == pytest.approx(2 / 3)


def test_table_shows_medians_spread_ratios_and_floor(rows):
    text = format_section(SECTION, rows)
    assert text.startswith('a step\n')
    assert cells(text, 'subject') == [
        'subject', 'ms / step', 'min .. max', 'images/s', 'x plain', 'x mmsegmentation 0.30.0',
        'GFLOP', 'of peak', 'allocated MiB', 'resident MiB', 'threads', 'difference']
    assert cells(text, 'this toolkit') == [
        'this toolkit', '2000', '1000 .. 3000', '2.00', '1.50', '2.00', '1000.0', '25%', '100',
        '300', '2', '']
    assert cells(text, 'plain PyTorch')[4] == '1.00'
    assert cells(text, 'plain PyTorch')[-1] == 'loss 1e-07'
    assert cells(text, 'mmsegmentation')[-1] == 'loss 0'
    assert 'this toolkit: 1000.0 GFLOP at the measured 2000 GFLOP/s' in text
    assert 'a floor of 500 ms per step' in text


def test_peak_is_the_best_of_those_in_the_same_type():
    own, plain, peer = (
        make_row(key, key, [1.0], flops=10**12, dtype=dtype, matmul_rate=rate)
        for key, dtype, rate in (('own', 'float32', 2e12), ('plain', 'float32', 4e12),
                                 ('peer1', 'bfloat16', 8e12)))
    rows = [own, plain, peer]
    assert [share_of_peak(row, rows) for row in rows] == [0.25, 0.25, 0.125]
    assert share_of_peak(make_row('own', 'own', [1.0], flops=1), [own]) is None


def test_columns_without_a_value_are_left_out():
    section = Section(title='start', case='startup', options={}, unit='start', images=0)
    row = Row(key='own', name='this toolkit', seconds=[1.0], images=0, threads=1, torch='2')
    assert cells(format_section(section, [row]), 'subject') == [
        'subject', 'ms / start', 'min .. max', 'threads']
    assert section_values(section, [row])['subjects'][0]['images_per_second'] is None


def test_another_row_of_this_toolkit_is_compared_with_the_first(rows):
    rows.insert(1, make_row('own1', 'this toolkit, fed from JPEGs', [4.0]))
    text = format_section(SECTION, rows)
    assert 'x this toolkit' in cells(text, 'subject')
    assert cells(text, 'this toolkit, fed from JPEGs')[4] == '0.50'


def test_each_plain_form_has_a_column(rows):
    rows.insert(2, make_row('plain_channels_last', 'plain PyTorch, channels_last', [4.0]))
    text = format_section(SECTION, rows)
    assert cells(text, 'subject')[4:6] == ['x plain', 'x plain, channels_last']
    assert cells(text, 'this toolkit')[4:6] == ['1.50', '2.00']


def test_profile_stands_below_the_table(rows):
    rows[0] = make_row('own', 'this toolkit', [1.0], profile='aten::mm 60%')
    assert 'Where the time of this toolkit goes:\naten::mm 60%' in format_section(SECTION, rows)


def test_medians_are_compared():
    quick, slow = make_row('own', 'own', [1.0, 2.0, 9.0]), make_row('plain', 'plain', [3.0, 6.0])
    assert (quick.median, slow.median) == (2.0, 4.5)
    # The means would say 1.125.
    assert quick.speedup(slow) == pytest.approx(2.25)
