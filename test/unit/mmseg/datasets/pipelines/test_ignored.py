"""One value of ignored pixels, the dataset's, in all that steps add to label maps."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.pipelines.fusion import fuse_steps

PAD = dict(type='Pad', size=(64, 64))
ROTATE = dict(type='RandomRotate', prob=1.0, degree=(44, 45))
NORM = dict(type='Normalize', mean=[0] * 3, std=[1] * 3)
END = [dict(type='DefaultFormatBundle'),
       dict(type='Collect', keys=['img', 'gt_semantic_seg'], meta_keys=())]


@pytest.mark.parametrize('step', [PAD, ROTATE])
@pytest.mark.parametrize('ignored', [0, 7, 255, 256, -1, -100])
def test_pixels_that_are_added_are_ignored(sample, step, ignored):
    results = Compose([step])(dict(sample(), ignore_index=ignored))

    for key in ('gt_semantic_seg', 'gt_extra'):
        corner = results[key][-1, -1] if step is PAD else results[key][0, 0]
        assert corner == ignored
    if step is PAD:
        np.testing.assert_array_equal(results['gt_semantic_seg'][:40, :56],
                                      sample()['gt_semantic_seg'])
    if 0 <= ignored <= 255:
        assert results['gt_semantic_seg'].dtype == np.uint8


@pytest.mark.parametrize('step', [PAD, ROTATE])
def test_without_a_dataset_it_is_255_and_what_is_told_stays(sample, step):
    for settings, ignored, expected in (({}, {}, 255), (dict(seg_pad_val=3), {}, 3),
                                        (dict(seg_pad_val=3), dict(ignore_index=0), 3)):
        results = Compose([dict(step, **settings)])(dict(sample(), **ignored))
        label = results['gt_semantic_seg']
        assert (label[-1, -1] if step is PAD else label[0, 0]) == expected


@pytest.mark.parametrize('options', [{}, dict(fuse=False), dict(on_device=True)])
@pytest.mark.parametrize('ignored', [0, 9, -1])
def test_planned_pipelines_do_the_same(sample, options, ignored):
    pipeline = Compose([NORM, PAD, *END])
    pipeline.fusion = lambda steps: fuse_steps(steps, **options)

    results = pipeline(dict(sample(), ignore_index=ignored))['gt_semantic_seg']

    assert results.padding_value == ignored
    assert (results.data[0, 40:].long() == ignored).all()
    np.testing.assert_array_equal(results.data[0, :40, :56].numpy(), sample()['gt_semantic_seg'])


@pytest.mark.parametrize('step', [PAD, ROTATE])
def test_a_value_that_would_reach_the_loss_names_both_places(sample, step):
    pipeline = Compose([dict(step, seg_pad_val=255)])

    with pytest.raises(ConfigError, match=r'seg_pad_val=255 is none of the 5 classes.* dataset '
                                          r'ignores.* ignore_index=0.*leave seg_pad_val out'):
        pipeline(dict(sample(), ignore_index=0, num_classes=5))
    pipeline(dict(sample(), ignore_index=255, num_classes=5))
