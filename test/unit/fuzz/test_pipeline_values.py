"""Each setting of each step of a pipeline with odd values: refused when built, or it works."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils.checks.type_check import annotations_of
from mmcv_replace.utils.errors import UserError
from mmseg.datasets import PIPELINES
from mmseg.datasets.pipelines import Compose

from ..mmseg.datasets.pipelines.step_cases import CASES

FEW = settings.get_profile('few')
STEPS = {name: case.options for name, case in CASES.items() if name != 'Compose'}
ODD = [None, True, -1, 0, 1, 3, 300, 10**9, -0.5, 0.5, 1.5, 3.0, 1e300, float('nan'), float('inf'),
       '', 'abc', 'img', 'horizontal', [], (), (0, 0), (-1, 5), (2, 0.5), (0.5, 2), (5, 5),
       (1, 2, 3), (float('nan'), 1), (0, float('inf')), (-2, -1), (10**9, 10**9), ('a', 'b'),
       (None, None), {},
       dict(a=1), [dict(type='Resize')], [dict(key='img')], [dict(no=1)], [5], [(4, 5), (9, 9)],
       [[1, 2], [3]], ['img', 'no'], [0, 0, 0], [2, 0, 9]]
NAMES = sorted((kind, name) for kind in STEPS for name in annotations_of(PIPELINES.get(kind)))


def sample():
    random = np.random.default_rng(0)
    img = random.integers(0, 256, (12, 10, 3), np.uint8)
    return dict(img=img, gt_semantic_seg=img[..., 0] % 3, seg_fields=['gt_semantic_seg'],
                img_shape=img.shape, ori_shape=img.shape, pad_shape=img.shape, scale_factor=1.0,
                flip=False, filename='a.jpg', img_info=dict(filename='none.jpg'),
                ann_info=dict(seg_map='none.png'))


@pytest.mark.parametrize(('kind', 'name'), NAMES, ids=map('.'.join, NAMES))
@FEW
@given(value=st.sampled_from(ODD), other=st.sampled_from(NAMES), second=st.sampled_from(ODD))
def test_one_setting_or_two(attempt, kind, name, value, other, second):
    step = {'type': kind, **STEPS[kind], name: value}
    if other[0] == kind:
        step[other[1]] = second
    pipeline = attempt(Compose, [step])
    if isinstance(pipeline, UserError):
        assert kind in ' '.join([str(pipeline), *getattr(pipeline, '__notes__', [])])
        return
    for seed in range(3):
        np.random.seed(seed)
        attempt(pipeline, sample())


@FEW
@given(steps=st.recursive(
    st.sampled_from((*ODD, 'Resize', *({'type': kind} for kind in STEPS))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries({'type': inner}, optional={'transforms': inner})), max_leaves=4))
def test_pipelines_of_anything(attempt, steps):
    pipeline = attempt(Compose, steps)
    if not isinstance(pipeline, UserError):
        attempt(pipeline, sample())
