"""What holds for every step, also for those that come later."""
import inspect
import pickle

import numpy as np
import pytest

from mmseg.datasets import PIPELINES

ARGUMENTS = {
    'Collect': dict(keys=['img']),
    'Compose': dict(transforms=[dict(type='RandomFlip', prob=0.5)]),
    'ImageToTensor': dict(keys=['img']),
    'MultiScaleFlipAug': dict(transforms=[dict(type='Resize')], img_scale=(40, 30)),
    'Normalize': dict(mean=[1, 2, 3], std=[4, 5, 6]),
    'Pad': dict(size=(64, 64)),
    'RandomCrop': dict(crop_size=(16, 16)),
    'RandomRotate': dict(prob=0.5, degree=10),
    'ToTensor': dict(keys=['img']),
    'Transpose': dict(keys=['img'], order=(2, 0, 1)),
}


@pytest.mark.parametrize('name', list(PIPELINES))
def test_a_step_shows_its_settings_and_goes_to_a_worker(build, name):
    step = build(name, **ARGUMENTS.get(name, {}))

    for setting in ARGUMENTS.get(name, {}):
        if setting != 'transforms':
            assert f'{setting}=' in repr(step)
    assert name in repr(step)
    assert repr(pickle.loads(pickle.dumps(step))) == repr(step)


@pytest.mark.parametrize('name', list(PIPELINES))
def test_every_argument_is_annotated_and_documented(name):
    cls = PIPELINES.get(name)

    assert cls.__doc__
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.annotation is not parameter.empty


@pytest.mark.parametrize('name', ['Resize', 'RandomFlip', 'Pad', 'RandomRotate', 'RandomCrop'])
def test_geometry_moves_all_label_maps_alike(build, sample, name):
    arguments = {'Resize': dict(img_scale=(70, 70)), 'RandomFlip': dict(prob=1.0),
                 'RandomRotate': dict(prob=1.0, degree=30, seg_pad_val=0)}
    results = build(name, **arguments.get(name, ARGUMENTS.get(name, {})))(sample())

    label, extra = results['gt_semantic_seg'].astype(int), results['gt_extra'].astype(int)
    assert label.shape == extra.shape == results['img'].shape[:2]
    inside = (label < 5) & (extra >= 100)
    assert inside.sum() > 200
    np.testing.assert_array_equal(extra[inside], label[inside] + 100)
