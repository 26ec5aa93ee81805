"""What the tests of predictions share."""
import pytest

from mmcv_replace.image import resize_rows
from mmseg.models import segmentors
from mmseg.prediction import map_store, network_input, stripes


@pytest.fixture
def small_parts(monkeypatch):
    """Strips, blocks and stripes of a few pixels."""
    monkeypatch.setattr(segmentors.encoder_decoder, 'MAX_LOGITS_MB', 0)
    monkeypatch.setattr(stripes, 'MAX_LOGITS_MB', 0)
    monkeypatch.setattr(stripes, 'ROWS_AT_ONCE', 7)
    monkeypatch.setattr(segmentors.seg_map, 'BLOCK_BYTES', 3000)
    monkeypatch.setattr(map_store, 'BLOCK_BYTES', 500)
    monkeypatch.setattr(network_input, 'WHOLE_ROWS', 10)
    monkeypatch.setattr(resize_rows, 'READ_BYTES', 4000)
