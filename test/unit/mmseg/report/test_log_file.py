"""The reader of logs, on lines written by hand, cut, damaged, and of mmsegmentation 0.x."""
import json
import math

import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.report.log_file import read_log

from .conftest import train_record, val_record, write_log


def test_meta_and_records(tmp_path):
    log = read_log(write_log(tmp_path, train_record(50, 2.0), val_record(50, 0.5), seed=3))
    assert log.meta == {'seed': 3}
    assert [record['iter'] for record in log.of_mode('train')] == [50]
    assert log.of_mode('train')[0]['loss'] == 2.0
    assert log.of_mode('val')[0]['mIoU'] == 0.5
    assert log.notes == []


def test_a_line_that_is_cut_off_is_noted_and_left_out(tmp_path):
    log = read_log(write_log(tmp_path, train_record(50), '{"mode": "train", "epoch": 1, "it',
                             train_record(150)))
    assert [record['iter'] for record in log.records] == [50, 150]
    assert log.notes == ['20260102_000000.log.json: line 3 is cut off or no JSON, and is left out']


@pytest.mark.parametrize(('line', 'note'), [
    ('[1, 2]', 'line 2 is no JSON object'),
    ('{"mode": "train", "iter": 5}', 'line 2 lacks the number of its epoch'),
    ('{"mode": "train", "iter": "5", "epoch": 1}', 'line 2 lacks the number of its epoch'),
])
def test_other_damage_is_noted(tmp_path, line, note):
    log = read_log(write_log(tmp_path, line, train_record(50)))
    assert note in log.notes[0]
    assert len(log.records) == 1


def test_of_many_faulty_lines_some_are_told(tmp_path):
    log = read_log(write_log(tmp_path, *['no JSON'] * 1007, train_record(50)))
    assert len(log.notes) == 6
    assert log.notes[-1] == '20260102_000000.log.json: 1,002 more such lines'
    assert len(log.records) == 1


def test_null_is_a_number_that_was_not_finite(tmp_path):
    record, = read_log(write_log(tmp_path, train_record(50, None))).records
    assert math.isnan(record['loss'])


def test_what_is_no_number_is_left_out(tmp_path):
    record, = read_log(write_log(tmp_path, train_record(
        50, eta='0:10', flag=True, lr={'main': 0.1, 'head': 0.2}))).records
    assert record['lr.main'] == 0.1
    assert record['lr.head'] == 0.2
    assert not {'eta', 'flag', 'lr'} & record.keys()


def test_zeros_of_a_power_cut_are_blank(tmp_path):
    file = write_log(tmp_path, train_record(50))
    with file.open('ab') as opened:
        opened.write(b'\0' * 40 + b'\n')
    log = read_log(file)
    assert len(log.records) == 1
    assert log.notes == []


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r'cannot read the log .*none\.json.*No such file'):
        read_log(tmp_path / 'none.json')


def test_a_log_in_no_known_encoding_is_read(tmp_path):
    file = tmp_path / '1.log.json'
    file.write_bytes(json.dumps(train_record(50)).encode() + b'\n"\xff\xfe')
    assert len(read_log(file).records) == 1
