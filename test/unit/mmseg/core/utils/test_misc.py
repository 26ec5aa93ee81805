"""add_prefix."""
from mmseg.core import add_prefix


def test_add_prefix_renames_and_keeps_order():
    losses = {'loss_seg': 1, 'acc_seg': 2}
    assert list(add_prefix(losses, 'decode').items()) == [('decode.loss_seg', 1),
                                                          ('decode.acc_seg', 2)]
    assert 'loss_seg' in losses
