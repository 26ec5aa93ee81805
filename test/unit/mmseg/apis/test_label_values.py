"""The labels of the data against the heads, before any work is done."""
import logging

import numpy as np
import pytest
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.label_values import check_ignored_labels
from mmseg.datasets import RepeatDataset
from mmseg.datasets.pipelines import Compose


class Head(nn.Module):
    def __init__(self, ignore_index, num_classes=5, use_sigmoid=False):
        super().__init__()
        self.ignore_index = ignore_index
        self.num_classes = num_classes
        self.loss_decode = nn.Module()
        self.loss_decode.use_sigmoid = use_sigmoid


class Data:
    def __init__(self, ignore_index, **pad):
        self.ignore_index = ignore_index
        self.pipeline = Compose([dict(type='Pad', size=(9, 9), **pad), lambda results: results])

    def __len__(self):
        return 1


def check(data, *heads):
    model = nn.Module()
    for name, head in zip(('decode_head', 'auxiliary_head'), heads, strict=False):
        setattr(model, name, head)
    check_ignored_labels(model, data)


@pytest.mark.parametrize('wrap', [lambda data: data, lambda data: RepeatDataset(data, 3)])
def test_a_value_that_a_head_does_not_know_names_both_places(wrap):
    with pytest.raises(ConfigError, match=(
            r'ignore_index=255 of Data, but model\.auxiliary_head\.ignore_index=0: its loss would '
            r'meet the label 255, which is none of its 5 classes; set '
            r'model\.auxiliary_head\.ignore_index=255, or ignore_index=0')):
        check(wrap(Data(255)), Head(255), Head(0))
    with pytest.raises(ConfigError, match=r'seg_pad_val=255 of Pad in Data, but model\.decode_he'):
        check(wrap(Data(0, seg_pad_val=255)), Head(0))


def test_negative_labels_are_known_to_losses_by_sigmoid():
    with pytest.raises(ConfigError, match='meet the label -1'):
        check(Data(-1), Head(255))
    check(Data(-1), Head(255, use_sigmoid=True))


def test_an_ignored_class_that_a_head_learns_is_told(caplog):
    with caplog.at_level(logging.WARNING, logger='mmseg'):
        check(Data(0), Head(0))
        check(Data(255, seg_pad_val=3), Head(255))
        assert not caplog.records
        check(Data(0), Head(255))

    assert 'the head learns the label 0 as a class, and the evaluation' in caplog.text


def test_data_that_tells_nothing_is_left_alone():
    check([np.zeros(3)], Head(255))
