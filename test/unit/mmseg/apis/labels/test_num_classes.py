"""A model and a data set of other numbers of classes."""
from types import SimpleNamespace

import pytest
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.labels.heads import check_num_classes
from mmseg.models import FCNHead

SIGMOID = dict(type='CrossEntropyLoss', use_sigmoid=True)


def model_of(auxiliary=None, **options):
    def head(options):
        return FCNHead(in_channels=4, channels=4, num_convs=0, concat_input=False, **options)

    model = nn.Module()
    model.decode_head = head(options)
    if auxiliary is not None:
        model.auxiliary_head = head(auxiliary)
    return model


def dataset_of(number):
    return SimpleNamespace(CLASSES=tuple('abcdefgh'[:number]))


ONE_LOGIT = dict(num_classes=2, out_channels=1, loss_decode=SIGMOID)
SHORT = dict(num_classes=1, loss_decode=SIGMOID)


@pytest.mark.parametrize(('head', 'number'), [
    (dict(num_classes=3), 3), (dict(num_classes=3, loss_decode=SIGMOID), 3), (ONE_LOGIT, 2),
    (SHORT, 2), (dict(num_classes=2), 2), (dict(num_classes=2, loss_decode=SIGMOID), 2)])
def test_what_fits(head, number):
    check_num_classes(model_of(**head), dataset_of(number))
    check_num_classes(model_of(auxiliary=head, **head), dataset_of(number))
    check_num_classes(model_of(**head), SimpleNamespace(CLASSES=None))


@pytest.mark.parametrize(('head', 'number', 'message'), [
    (dict(num_classes=3), 4, r'model\.decode_head has num_classes=3 but .* has 4 classes: set '
                             r'model\.decode_head\.num_classes=4'),
    (ONE_LOGIT, 1, r"has 1 class: name both, such as classes=\('background', 'crack'\) .*"
                   r'\(1\) keep the one logit, or \(2\) set model\.decode_head\.num_classes=2 with '
                   'out_channels=None'),
    (SHORT, 1, 'has num_classes=1 and one logit, .* has 1 class: name both'),
    (SHORT, 3, r'has 3 classes: set model\.decode_head\.num_classes=3 with out_channels=None'),
    (ONE_LOGIT, 21, r'set model\.decode_head\.num_classes=21')])
def test_what_does_not(head, number, message):
    dataset = SimpleNamespace(CLASSES=tuple(map(str, range(number))))
    with pytest.raises(ConfigError, match=message):
        check_num_classes(model_of(**head), dataset)


def test_auxiliary_heads_are_looked_at():
    with pytest.raises(ConfigError, match=r'model\.auxiliary_head has num_classes=1 and one logit'):
        check_num_classes(model_of(auxiliary=SHORT, num_classes=3), dataset_of(3))


def test_all_heads_to_be_changed_are_named():
    with pytest.raises(ConfigError, match=(
            r'model\.decode_head has num_classes=3 and model\.auxiliary_head has num_classes=2 but '
            r'.* has 4 classes: set model\.decode_head\.num_classes=4 and '
            r'model\.auxiliary_head\.num_classes=4, or')):
        check_num_classes(model_of(auxiliary=dict(num_classes=2), num_classes=3), dataset_of(4))


@pytest.mark.parametrize('place', ['decode_head', 'auxiliary_head'])
def test_a_head_without_its_usual_classifier(place):
    model = model_of(num_classes=4, auxiliary=dict(num_classes=4))
    head = getattr(model, place)
    del head.conv_seg
    check_num_classes(model, dataset_of(4))
    head.num_classes = 3
    with pytest.raises(ConfigError, match=rf'model\.{place} has num_classes=3 but'):
        check_num_classes(model, dataset_of(4))


def test_heads_of_other_classes_and_in_a_row():
    model = model_of(num_classes=4)
    model.decode_head = nn.ModuleList([model.decode_head, nn.Identity()])
    check_num_classes(model, dataset_of(4))
    model.decode_head[1].num_classes = 3
    with pytest.raises(ConfigError, match=r'model\.decode_head\.1 has num_classes=3 but'):
        check_num_classes(model, dataset_of(4))
