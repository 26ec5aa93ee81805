import numpy as np
import pytest
import torch

from mmcv_replace.parallel import DataContainer, collate
from mmcv_replace.utils.errors import DataError


def image(height, width, fill=1.0, **kwargs):
    return DataContainer(torch.full((3, height, width), fill), stack=True, **kwargs)


def test_stack_pads_at_bottom_and_right():
    batch = collate([image(2, 5), image(4, 3)], samples_per_gpu=2)
    (images,) = batch.data
    expected = np.zeros((2, 3, 4, 5), np.float32)
    expected[0, :, :2, :5] = 1
    expected[1, :, :4, :3] = 1
    np.testing.assert_array_equal(images.numpy(), expected)
    assert batch.stack


def test_padding_value_is_that_of_the_sample():
    (images,) = collate([image(1, 1, padding_value=7), image(1, 2)], samples_per_gpu=2).data
    assert images[0, :, 0].tolist() == [[1, 7]] * 3


@pytest.mark.parametrize(('pad_dims', 'shapes', 'result'), [
    (1, [(2, 3), (2, 5)], (2, 2, 5)),
    (3, [(1, 2, 3), (3, 2, 1)], (2, 3, 2, 3)),
    (None, [(2, 3), (2, 3)], (2, 2, 3)),
])
def test_pad_dims(pad_dims, shapes, result):
    samples = [DataContainer(torch.ones(s), stack=True, pad_dims=pad_dims) for s in shapes]
    (stacked,) = collate(samples, samples_per_gpu=2).data
    assert stacked.shape == result


def test_one_entry_for_each_chunk():
    batch = collate([image(1, 1, fill) for fill in range(5)], samples_per_gpu=2)
    assert [chunk[:, 0, 0, 0].tolist() for chunk in batch.data] == [[0, 1], [2, 3], [4]]


def test_host_only_and_unstacked_values_are_listed():
    metas = collate([DataContainer({'id': i}, cpu_only=True) for i in range(3)], samples_per_gpu=3)
    assert metas.data == [[{'id': 0}, {'id': 1}, {'id': 2}]]
    assert metas.cpu_only
    boxes = collate([DataContainer(torch.zeros(i, 4)) for i in (1, 2)], samples_per_gpu=2)
    assert [box.shape for box in boxes.data[0]] == [(1, 4), (2, 4)]
    assert not boxes.cpu_only


def test_nested_samples():
    samples = [{'img': [torch.tensor([i]), torch.tensor([-i])], 'name': f'{i}', 'n': i}
               for i in (1, 2)]
    batch = collate(samples, samples_per_gpu=2)
    assert batch['n'].tolist() == [1, 2]
    assert batch['name'] == ['1', '2']
    assert [t.flatten().tolist() for t in batch['img']] == [[1, 2], [-1, -2]]


@pytest.mark.parametrize('error', [DataError, AssertionError])
@pytest.mark.parametrize('shapes', [[(3, 2, 2), (1, 2, 2)], [(3, 2, 2), (2, 2)]])
def test_unequal_kept_dimensions_name_the_shapes(shapes, error):
    samples = [DataContainer(torch.ones(s), stack=True) for s in shapes]
    with pytest.raises(error, match=r'\(3, 2, 2\), .*samples_per_gpu=1'):
        collate(samples, samples_per_gpu=2)


def test_padding_needs_its_dimensions():
    with pytest.raises(AssertionError, match=r'only the last 2 dimensions'):
        collate([DataContainer(torch.ones(2), stack=True)] * 2, samples_per_gpu=2)


def test_only_tensors_are_stacked():
    with pytest.raises(AssertionError, match='hold ndarray, ndarray'):
        collate([DataContainer(np.ones((1, 2, 2)), stack=True)] * 2, samples_per_gpu=2)


@pytest.mark.parametrize('batch', [{'img': 1}, 5])
def test_a_batch_is_a_list(batch):
    with pytest.raises(TypeError, match=f'not a {type(batch).__name__}'):
        collate(batch)
