"""What is particular to torchvision; what holds for albumentations too: test_foreign."""
import random

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError

from .step_cases import MISSING, make_sample

if 'TorchvisionTransform' in MISSING:
    pytest.skip(MISSING['TorchvisionTransform'], allow_module_level=True)
from torchvision.transforms import v2  # noqa: E402  known to load


class Spoilt(v2.Transform):
    """A user's transform."""

    def transform(self, inpt, params):
        return inpt.float()


class Alone(v2.Transform):
    """A user's transform, which leaves out label maps."""

    def forward(self, *inputs):
        return inputs[0][:, ::2], *inputs[1:]


class Failing(v2.Transform):
    def forward(self, *inputs):
        raise KeyError('my own fault')


def striped():
    sample = make_sample()
    sample['img'][:] = (np.arange(57) // 6 % 2 * 200)[:, None].astype(np.uint8)
    return sample


@pytest.mark.parametrize('transform', [
    dict(type='RandomAffine', degrees=30), dict(type='RandomRotation', degrees=30),
    dict(type='RandomPerspective', p=1.0), dict(type='ElasticTransform')])
def test_the_interpolation_of_images(build, transform):
    values = {}
    for mode in (None, 'nearest', 'bilinear', v2.InterpolationMode.NEAREST):
        options = {} if mode is None else dict(interpolation=mode)
        np.random.seed(1)
        results = build('TorchvisionTransform', transforms=[dict(transform, **options)])(striped())
        values[mode] = np.unique(results['img']).tolist()
        assert set(np.unique(results['gt_semantic_seg'])) <= {0, 1, 2, 3, 4, 255}
    assert values['nearest'] == values[v2.InterpolationMode.NEAREST] == [0, 200]
    assert len(values[None]) > 20
    assert values[None] == values['bilinear']


def test_an_unknown_interpolation(build):
    with pytest.raises(ConfigError, match="interpolation='bilinaer' of RandomRotation; did you mean"
                                          " 'bilinear'.*: choose one of nearest"):
        build('TorchvisionTransform', transforms=[
            dict(type='RandomRotation', degrees=3, interpolation='bilinaer')])


@pytest.mark.parametrize(('name', 'match'), [
    ('ToTensor', 'makes tensors'), ('ToDtype', 'Normalize makes floats'),
    ('RandAugment', 'moves images without label maps'), ('CutMix', 'mixes the samples of a batch'),
    ('TenCrop', 'makes several images of one')])
def test_what_no_pipeline_can_hold(build, name, match):
    with pytest.raises(ConfigError, match=fr'transforms\[0\] \({name}\): .*{match}'):
        build('TorchvisionTransform', transforms=[dict(type=name)])


def test_transforms_of_users(build):
    built = v2.RandomVerticalFlip(p=1.0)
    sample = make_sample()
    results = build('TorchvisionTransform', transforms=[
        built, dict(type=v2.RandomHorizontalFlip, p=1.0)])(dict(sample))
    np.testing.assert_array_equal(results['img'], sample['img'][::-1, ::-1])

    with pytest.raises(ConfigError, match=(
            r'have turned an image of uint8 \[41, 57, 3\] into float32 \[41, 57, 3\], and label '
            r'maps of uint8 into float32 \[41, 57\]')):
        build('TorchvisionTransform', transforms=[dict(type=Spoilt)])(make_sample())
    with pytest.raises(ConfigError, match=r'made an image of \[21, 57\] and a label map of'):
        build('TorchvisionTransform', transforms=[dict(type=Alone)])(make_sample())
    # Errors of their own code stay as they are.
    with pytest.raises(KeyError, match='my own fault') as error:
        build('TorchvisionTransform', transforms=[dict(type=Failing)])(make_sample())
    assert type(error.value) is KeyError


def test_other_generators_stay_as_they_are(build):
    before = torch.get_rng_state(), random.getstate()
    build('TorchvisionTransform', transforms=[dict(type='RandomRotation', degrees=9)])(
        make_sample())
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_overshooting_values_of_16_bits_are_clipped(build):
    sample = make_sample()
    sample['img'] = (np.random.RandomState(0).randint(0, 2, (41, 57, 1)) * 65535).astype(np.uint16)
    img = build('TorchvisionTransform', transforms=[
        dict(type='Resize', size=(82, 114), interpolation='bicubic')])(sample)['img']
    # Overflow would turn bright pixels beside bright ones dark.
    plain = build('TorchvisionTransform', transforms=[
        dict(type='Resize', size=(82, 114))])(sample)['img']
    assert np.abs(img.astype(int) - plain.astype(int)).max() < 32000
