"""Damaged and absurd checkpoint files: loaded as far as they fit, or refused."""
import io
import pickle
import struct
import zipfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mmcv_replace.runner import EpochBasedRunner, load_checkpoint, load_state_dict
from mmcv_replace.utils.errors import CheckpointError
from mmseg.apis.inference import load_weights

MANY, FEW = settings.get_profile('many'), settings.get_profile('few')


def encode(value, zipped=True):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


WEIGHTS = {'weight': torch.full((2, 2), 0.5), 'bias': torch.full((2,), 0.5)}  # as worker.py knows
GOOD = {'meta': {'epoch': 1, 'iter': 3}, 'state_dict': WEIGHTS}
SAMPLES = [encode(GOOD), encode(GOOD, zipped=False), encode(WEIGHTS)]


@st.composite
def damaged(draw):
    content = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        start, length = draw(st.integers(0, len(content) - 1)), draw(st.sampled_from((1, 2, 8, 99)))
        content[start:start + length] = draw(st.one_of(
            st.just(b''), st.binary(min_size=length, max_size=length),
            st.sampled_from((b'\xff' * length, b'\0' * length, struct.pack('<Q', 2**62)))))
        if not content:
            break
    return bytes(content)


@MANY
@given(content=damaged())
def test_damaged_files(worker, content):
    """The parts of a zip file have sums: what is loaded from it is what was written."""
    answer = worker.read('checkpoint', content)
    assert answer != 'ok, other weights' or not content.startswith(b'PK')


def retag(sizes):
    """A legacy file whose tensor says that it has other sizes; its storage stays as it is."""
    tensor = torch.zeros(sizes[0])
    content = encode({'weight': tensor}, zipped=False)
    old, new = pickle.dumps(sizes[0], 2)[2:-1], pickle.dumps(sizes[1], 2)[2:-1]
    assert content.count(old) >= 1
    return content.replace(old, new)


@pytest.mark.parametrize('size', [2**31 - 1, -5])
def test_absurd_sizes(worker, size):
    assert worker.read('checkpoint', retag((70_000, size))).startswith('UserError: ')


@pytest.mark.parametrize('compression', [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_packed_archive_cannot_unfold(attempt, folder, compression):
    """One of 20 MB in 20 kB; torch writes archives that are as large as what is in them."""
    with zipfile.ZipFile(folder / 'bomb.pth', 'w', compression, compresslevel=9) as archive:
        archive.writestr('archive/data.pkl', bytes(20 * 2**20))
        archive.writestr('archive/version', '3')
    error = attempt(load_checkpoint, nn.Linear(2, 2), folder / 'bomb.pth')
    assert isinstance(error, CheckpointError)
    assert 'larger than the file' in str(error)


TENSORS = st.builds(
    lambda shape, dtype, kind: kind(torch.ones(shape).to(dtype)),
    st.sampled_from(((2, 2), (2,), (), (0,), (3, 2), (2, 2, 2))),
    st.sampled_from((torch.float32, torch.float16, torch.int64, torch.bool, torch.complex64)),
    st.sampled_from((torch.clone, lambda x: x.to_sparse() if x.dim() else x, nn.Buffer,
                     lambda x: x.to('meta'), lambda x: x * float('nan'))))
ODD = st.recursive(
    st.one_of(TENSORS, st.none(), st.integers(), st.floats(), st.text(max_size=3),
              st.binary(max_size=3), st.just('weight')),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.tuples(inner),
        st.dictionaries(st.sampled_from(('weight', 'bias', 'state_dict', 'meta', 'model', 0, None)),
                        inner, max_size=3)), max_leaves=5)
CHECKPOINTS = st.one_of(ODD, st.fixed_dictionaries(
    {'state_dict': st.one_of(st.just(WEIGHTS), ODD)},
    optional={'meta': st.one_of(ODD, st.fixed_dictionaries({}, optional=dict.fromkeys(
        ('CLASSES', 'PALETTE', 'dataset_meta', 'epoch', 'iter', 'hook_msgs'), ODD))),
              'optimizer': ODD, 'run_state': ODD}))


@MANY
@given(checkpoint=CHECKPOINTS)
def test_odd_content(attempt, folder, checkpoint):
    torch.save(checkpoint, folder / 'odd.pth')
    model = nn.Linear(2, 2)
    loaded = attempt(load_weights, model, str(folder / 'odd.pth'))
    assert isinstance(loaded, dict | CheckpointError)
    assert model.weight.shape == (2, 2)
    if isinstance(checkpoint, dict):
        attempt(load_state_dict, nn.Linear(2, 2), checkpoint)


class Toy(nn.Linear):
    def train_step(self, data_batch, optimizer):
        raise AssertionError('no step is taken here')


@pytest.mark.filterwarnings('ignore:Using a non-tuple sequence')  # a tensor for a dict
@FEW
@given(meta=st.one_of(ODD, st.fixed_dictionaries(
           {'epoch': st.one_of(st.just(1), ODD), 'iter': st.one_of(st.just(3), ODD)},
           optional={'hook_msgs': ODD})),
       optimizer=st.one_of(ODD, st.fixed_dictionaries({'state': ODD, 'param_groups': st.one_of(
           ODD, st.lists(st.fixed_dictionaries({'params': ODD}, optional={'lr': ODD}),
                         max_size=2))})))
def test_resuming_from_odd_content(attempt, folder, meta, optimizer):
    torch.save({**GOOD, 'meta': meta, 'optimizer': optimizer}, folder / 'resume.pth')
    model = Toy(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    runner = EpochBasedRunner(model, optimizer=optimizer, max_epochs=2)
    assert isinstance(attempt(runner.resume, folder / 'resume.pth'), CheckpointError | None)
