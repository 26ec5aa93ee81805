"""Checkpoints that would run code or that lie: refused, with what they hold."""
import argparse
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner.checkpoint import read_checkpoint
from mmcv_replace.utils.errors import CheckpointError


class Calls:
    """Has a pickle call a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(('call', 'named'), [
    (Calls(eval, '1'), 'eval'), (Calls(print, 'x'), 'print'),
    (Calls(__import__, 'os'), '__import__'),
    (Calls(getattr, 'x', 'upper'), 'getattr'), (Calls(getattr, Calls(__import__, 'os'), 'system'),
                                                '__import__')])
def test_hostile_calls_are_refused(tmp_path, zipped, call, named):
    torch.save({'meta': [argparse.Namespace(), call]}, tmp_path / 'evil.pth',
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=fr'evil\.pth is not loaded: .*holds {named}'):
        read_checkpoint(tmp_path / 'evil.pth')


def test_a_method_of_another_class_is_refused(tmp_path):
    meta = [argparse.Namespace(), Calls(getattr, {}, '__class__')]
    torch.save({'meta': meta}, tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError, match='it holds getattr'):
        read_checkpoint(tmp_path / 'evil.pth')


def test_an_array_that_lies_about_its_objects(tmp_path):
    """Its bytes would be addresses of objects."""
    class Lies:
        def __reduce__(self):
            kind = Calls(np.dtype, 'O8', False, True)
            return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b'b'), (
                1, (1,), kind, False, bytes(8))
    torch.save({'meta': Lies()}, tmp_path / 'evil.pth')
    # As objects its content is a list of numbers, too long for the shape.
    with pytest.raises(CheckpointError, match='with 8 objects'):
        read_checkpoint(tmp_path / 'evil.pth')


def test_a_whole_model_is_refused_by_its_class(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / 'model.pth')
    with pytest.raises(CheckpointError, match=r'holds torch\.nn\.modules\.linear\.Linear.*trust'):
        read_checkpoint(tmp_path / 'model.pth')


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_a_pickle_that_torch_cannot_read_safely(tmp_path):
    torch.save({'meta': {}}, tmp_path / 'x.pth', pickle_protocol=4)
    with pytest.raises(CheckpointError, match='pickle of protocol 4.*torch.save without'):
        read_checkpoint(tmp_path / 'x.pth')


def test_nothing_of_the_stand_ins_stays_allowed(tmp_path):
    buffer = io.BytesIO()
    torch.save({'a': argparse.Namespace()}, tmp_path / 'x.pth')
    torch.save({'a': argparse.Namespace()}, buffer)
    read_checkpoint(tmp_path / 'x.pth')
    buffer.seek(0)
    with pytest.raises(pickle.UnpicklingError, match='Namespace'):
        torch.load(buffer, weights_only=True)
