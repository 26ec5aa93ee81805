"""Label maps in a pickle: read, and nothing else is built from it."""
import pickle

import numpy as np
import pytest

from mmcv_replace.fileio import dump
from mmcv_replace.utils.errors import DataError
from mmseg.report.seg_map_file import read_seg_maps


class Evil:
    def __reduce__(self):
        return print, ('run',)


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_label_maps(tmp_path, protocol):
    maps = [np.arange(6).reshape(2, 3), np.zeros((4, 4), np.uint8)]
    dump(maps, str(tmp_path / 'x.pkl'), protocol=protocol)
    for found, wanted in zip(read_seg_maps(tmp_path / 'x.pkl'), maps, strict=True):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype


@pytest.mark.parametrize(('content', 'told'), [
    (pickle.dumps([Evil()]), r'\(it holds (builtins|__builtin__)\.print\)'),
    (pickle.dumps([np.zeros(3)]), r'label maps \[H, W\]'),
    (pickle.dumps({'a': 1}), r'label maps \[H, W\]'),
    (b'nothing', 'holds no list of label maps'), (b'', 'holds no list of label maps')])
def test_anything_else_is_refused(tmp_path, content, told, capsys):
    (tmp_path / 'x.pkl').write_bytes(content)
    with pytest.raises(DataError, match=f'{told}.*give the FILE.pkl of python tools/test.py'):
        read_seg_maps(tmp_path / 'x.pkl')
    assert capsys.readouterr().out == ''


def test_no_file(tmp_path):
    with pytest.raises(DataError, match='cannot read .*No such file'):
        read_seg_maps(tmp_path / 'x.pkl')
