import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError, RegistryError, UserError
from mmseg.datasets import PIPELINES
from mmseg.datasets.pipelines import Compose


def add(key):
    def step(results):
        return {**results, key: len(results)}
    return step


def test_steps_run_in_order():
    assert Compose([add('a'), add('b'), add('c')])({}) == dict(a=0, b=1, c=2)


def test_a_registered_step_of_the_user_is_built_from_its_config():
    @PIPELINES.register_module()
    class AddKey:
        def __init__(self, key):
            self.key = key

        def __call__(self, results):
            return {**results, self.key: True}

    try:
        assert Compose([dict(type='AddKey', key='x')])({}) == dict(x=True)
    finally:
        del PIPELINES.module_dict['AddKey']


def test_none_ends_the_pipeline():
    def never(results):
        raise AssertionError

    assert Compose([lambda results: None, never])({}) is None


def test_what_is_no_step_is_refused():
    with pytest.raises(ConfigError, match="dicts with a type, or callables, not 'Resize'"):
        Compose(['Resize'])
    with pytest.raises(RegistryError, match='Resize'):
        Compose([dict(type='Resise')])


@pytest.mark.parametrize(('results', 'name'), [
    (dict(filename='/data/1.jpg'), '/data/1.jpg'),
    (dict(img_info=dict(filename='1.jpg')), '1.jpg'),
    ({}, 'a sample'),
])
def test_an_error_is_told_its_step_and_image(results, name):
    def broken_step(results):
        raise ZeroDivisionError('division by zero')

    with pytest.raises(ZeroDivisionError) as caught:
        Compose([add('x'), broken_step])(results)

    shown = '\n'.join([str(caught.value), *getattr(caught.value, '__notes__', [])])
    assert f'in function of the pipeline, at {name}' in shown


def lacking(results):
    return {}['inner']


def without_memory(results):
    error = cv2.error('Insufficient memory')
    error.code = cv2.Error.StsNoMem
    raise error


@pytest.mark.parametrize(('fault', 'kind'), [
    (lacking, KeyError), (lambda results: [][1], IndexError),
    (lambda results: None.x, AttributeError),
    (lambda results: len(1), TypeError), (lambda results: bytearray(1 << 60), MemoryError),
    (without_memory, cv2.error)])
@pytest.mark.parametrize('nested', [False, True])
def test_faults_inside_of_a_step_of_ours_stay_what_they_are(monkeypatch, fault, kind, nested):
    monkeypatch.setattr(PIPELINES.get('RandomFlip'), '__call__', lambda self, data: fault(data))
    steps = [dict(type='RandomFlip', prob=1)]
    if nested:
        steps = [dict(type='MultiScaleFlipAug', transforms=steps, img_scale=(4, 4))]
    with pytest.raises(kind) as caught:
        Compose(steps)(dict(filename='a.jpg', img=np.zeros((4, 4, 3), np.uint8)))
    assert not isinstance(caught.value, UserError)
    shown = '\n'.join([str(caught.value), *getattr(caught.value, '__notes__', [])])
    assert 'in RandomFlip of the pipeline, at a.jpg' in shown


@pytest.mark.parametrize('step', [
    dict(type='RGB2Gray'), dict(type='ImageToTensor', keys=['depth'])])
def test_what_the_steps_before_do_not_leave_is_named(step):
    with pytest.raises(ConfigError, match=r"(?s)x\.jpg: .*KeyError: '(img|depth)'.*steps before"):
        Compose([step])(dict(filename='x.jpg'))


def test_an_error_about_data_names_its_file_already():
    def step(results):
        raise DataError('x.png is broken')

    with pytest.raises(DataError) as caught:
        Compose([step])({})
    assert not hasattr(caught.value, '__notes__')


def test_the_steps_are_shown():
    shown = repr(Compose([dict(type='Resize', img_scale=(4, 3)), dict(type='CLAHE')]))

    assert 'Resize(img_scale=[(4, 3)], ' in shown
    assert 'CLAHE(clip_limit=40.0' in shown
