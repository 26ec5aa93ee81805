import numpy as np
import pytest
import torch

from mmcv_replace.image import imnormalize, tensor2imgs
from mmcv_replace.utils.errors import ConfigError

MEAN, STD = (10., 20., 30.), (2., 3., 4.)


@pytest.mark.parametrize('to_rgb', [True, False])
def test_normalized_images_come_back(photo, to_rgb):
    batch = [imnormalize(img, MEAN, STD, to_rgb) for img in (photo, photo[::-1])]
    tensor = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2)
    images = tensor2imgs(tensor.requires_grad_(), MEAN, STD, to_rgb)
    assert len(images) == 2
    for img, expected in zip(images, (photo, photo[::-1]), strict=True):
        assert img.dtype == np.uint8
        assert img.flags.c_contiguous
        assert np.abs(img.astype(int) - expected).max() <= 1  # values are cut off, not rounded


def test_one_channel_and_defaults():
    tensor = torch.arange(6.).reshape(1, 1, 2, 3)
    np.testing.assert_array_equal(tensor2imgs(tensor, to_rgb=False)[0].squeeze(), tensor[0, 0])
    rgb = torch.arange(3.).reshape(1, 3, 1, 1)
    assert tensor2imgs(rgb)[0].ravel().tolist() == [2, 1, 0]
    assert tensor2imgs(rgb, to_rgb=False)[0].ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize(('tensor', 'options', 'message'), [
    (np.ones((2, 3, 4, 4)), {}, 'takes a tensor'), (torch.ones(3, 4, 4), {}, 'takes a tensor'),
    (torch.ones(1, 4, 2, 2), {}, '4 channels'), (torch.ones(1, 3, 2, 2), {'mean': (1,)}, 'mean='),
    (torch.ones(1, 3, 2, 2), {'std': (1,)}, 'std='),
    (torch.ones(1, 1, 2, 2), {}, 'give to_rgb=False')])
def test_wrong_arguments_are_explained(tensor, options, message):
    with pytest.raises(AssertionError, match=message) as error:
        tensor2imgs(tensor, **options)
    assert isinstance(error.value, ConfigError)
