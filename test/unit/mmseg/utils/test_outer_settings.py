"""Configs for mmsegmentation 0.10, with test_cfg beside the model, over our base configs."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config
from mmseg.apis.model import build_model_to_inspect

SLIDE = dict(mode='slide', crop_size=(769, 769), stride=(513, 513))


@pytest.fixture
def write(repo_dir, tmp_path):
    """`write(text)` is a file that inherits the base configs of an FCN, and ends with `text`."""
    def write(text, model='fcn_r50-d8', name='mine.py'):
        base = repo_dir / 'configs/_base_'
        files = [str(base / file) for file in (
            f'models/{model}.py', 'datasets/cityscapes_769x769.py', 'default_runtime.py',
            'schedules/schedule_40k.py')]
        (tmp_path / name).write_text(f'_base_ = {files}\n{text}\n')
        return tmp_path / name
    return write


def test_it_changes_what_a_base_config_says(write):
    cfg = load_config(write(f'test_cfg = {SLIDE}'))

    assert cfg.model.test_cfg == SLIDE
    assert 'test_cfg' not in cfg
    assert build_model_to_inspect(cfg).test_cfg == SLIDE
    assert 'mine.py' in cfg.explain('model.test_cfg.mode')


def test_other_values_of_the_base_stay(write):
    cfg = load_config(write('train_cfg = dict(num_points=99)\ntest_cfg = dict(scale_factor=4)',
                            'pointrend_r50'))

    assert cfg.model.train_cfg == dict(
        num_points=99, oversample_ratio=3, importance_sample_ratio=0.75)
    assert cfg.model.test_cfg == dict(
        mode='whole', subdivision_steps=2, subdivision_num_points=8196, scale_factor=4)


def test_options_of_the_command_line_do_as_well(write):
    cfg = load_config(write(''), {'test_cfg': SLIDE})
    assert cfg.model.test_cfg == SLIDE


@pytest.mark.parametrize('text', [
    "test_cfg = dict(mode='slide')\nmodel = dict(test_cfg=dict(mode='slide', stride=(5, 5)))",
    "test_cfg = dict(mode='slide')\nmodel = dict(test_cfg=dict(_delete_=True, mode='whole'))"])
def test_both_places_in_a_config_of_a_user(write, text):
    with pytest.raises(ConfigError, match='test_cfg is given twice'):
        build_model_to_inspect(load_config(write(text)))


def test_a_model_of_another_kind_is_left_alone(tmp_path):
    (tmp_path / 'mine.py').write_text("model = 'a.onnx'\ntest_cfg = dict(mode='whole')\n")
    assert load_config(tmp_path / 'mine.py').test_cfg == dict(mode='whole')
