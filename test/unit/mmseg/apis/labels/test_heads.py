"""The labels of the data against the heads, before any work is done."""
import logging

import numpy as np
import pytest
from torch import nn

from mmseg.apis.labels.heads import head_clashes
from mmseg.datasets import RepeatDataset
from mmseg.datasets.pipelines import Compose
from mmseg.models import LOSSES, FCNHead


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


def check(data, *heads, strict=True):
    model = nn.Module()
    for name, head in zip(('decode_head', 'auxiliary_head'), heads, strict=False):
        setattr(model, name, head)
    return list(head_clashes(model, 'train', data, strict))


def fcn(num_classes=11, loss=None, **options):
    loss = loss or dict(type='CrossEntropyLoss')
    return FCNHead(in_channels=4, channels=4, num_convs=0, concat_input=False,
                   num_classes=num_classes, loss_decode=loss, **options)


@pytest.mark.parametrize('wrap', [lambda data: data, lambda data: RepeatDataset(data, 3)])
def test_a_value_that_a_head_does_not_know_names_both_places(wrap):
    assert check(wrap(Data(255)), Head(255), Head(0)) == [
        'ignore_index=255 of data.train (Data), but model.auxiliary_head.ignore_index=0: its loss '
        'would meet the label 255, which is none of its 5 classes; set '
        'model.auxiliary_head.ignore_index=255, leave it out, which follows the data, or set '
        'ignore_index=0']
    [told] = check(wrap(Data(0, seg_pad_val=255)), Head(0))
    assert told.startswith('seg_pad_val=255 of Pad in data.train (Data), but model.decode_head.')


def test_negative_labels_are_known_to_losses_by_sigmoid():
    [told] = check(Data(-1), Head(255))
    assert 'meet the label -1' in told
    assert not check(Data(-1), Head(255, use_sigmoid=True))


def test_an_ignored_class_that_a_head_learns_is_a_clash_unless_it_is_meant(caplog):
    assert not check(Data(0), Head(0))
    assert not check(Data(255, seg_pad_val=3), Head(255))
    [told] = check(Data(0), Head(255))
    assert 'the head would learn the label 0 as a class, and the evaluation ignores it' in told
    with caplog.at_level(logging.WARNING, logger='mmseg'):
        assert not check(Data(0), Head(255), strict=False)
    assert told in caplog.text


def test_data_that_tells_nothing_is_left_alone():
    assert not check([np.zeros(3)], Head(255))


@pytest.mark.parametrize('value', [11, 0, 254, -1])
def test_heads_that_were_told_nothing_follow_the_data(value):
    heads = fcn(sampler=dict(type='OHEMPixelSampler', thresh=0.7)), fcn()
    assert not check(RepeatDataset(Data(value), 2), *heads)
    assert [head.ignore_index for head in heads] == [value, value]
    assert heads[0].sampler.context.ignore_index == value
    assert not check(Data(255), *heads)  # data of another run
    assert heads[0].ignore_index == 255


@pytest.mark.parametrize('value', [255, 3])
def test_a_head_that_was_told_does_not_follow(value):
    head = fcn(ignore_index=value)
    [told] = check(Data(11), head)
    assert f'ignore_index=11 of data.train (Data), but model.decode_head.ignore_index={value}: ' \
        in told
    assert head.ignore_index == value


@pytest.fixture
def own_loss():
    @LOSSES.register_module()
    class LossOfTheTest(nn.Module):
        def __init__(self, ignore_index=255):
            super().__init__()
            self.ignore_index = ignore_index

    yield 'LossOfTheTest'
    del LOSSES.module_dict['LossOfTheTest']


def test_losses_with_a_value_of_their_own_follow_or_clash(own_loss):
    plain = dict(type=own_loss)
    head = fcn(loss=[dict(type='CrossEntropyLoss'), plain])
    assert not check(Data(11), head)
    assert head.loss_decode[1].ignore_index == 11
    [told] = check(Data(11), fcn(loss=[plain, dict(type=own_loss, ignore_index=255)]))
    assert 'of data.train (Data), but model.decode_head.loss_decode.1.ignore_index=255: ' in told
    [told] = check(Data(11), fcn(loss=dict(type=own_loss, ignore_index=255)))
    assert 'but model.decode_head.loss_decode.ignore_index=255: ' in told


def test_a_loss_with_another_default_is_left_alone(own_loss):
    head = fcn(loss=dict(type=own_loss))
    head.loss_decode.ignore_index = -100
    assert not check(Data(11), head)
    assert head.loss_decode.ignore_index == -100
