"""Errors of the steps that hand samples to albumentations and to torchvision."""
import sys

import pytest

from mmcv_replace.utils.errors import (
    ArgumentError,
    ConfigError,
    ConfigTypeError,
    MissingModuleError,
    RegistryError,
)
from mmseg.datasets.pipelines import Compose

from .foreign_words import WORDS
from .step_cases import MISSING, make_sample

# test_registry skips a test for each package that is missing.
pytestmark = pytest.mark.parametrize('name', [name for name in WORDS if name not in MISSING])


@pytest.mark.parametrize('place', ['transforms[0]', 'transforms[1].transforms[0]'])
def test_what_other_steps_do_is_refused_where_it_is_built(step, name, place):
    words = WORDS[name]
    transforms = [words['normalize']] if place == 'transforms[0]' else [
        words['flip'], words['one_of'](words['normalize'])]
    with pytest.raises(ConfigError) as error:
        step(*transforms)
    assert f'{name}: {place} (Normalize): the step Normalize does this' in str(error.value)


def test_an_unknown_name(step, name):
    wrong, right = WORDS[name]['misspelt']
    with pytest.raises(RegistryError, match=(
            fr"{name}: transforms\[0\] \({wrong}\): {WORDS[name]['module']} has no such transform; "
            f"did you mean '{right}'")):
        step(dict(type=wrong))


def test_an_unknown_argument(step, name):
    unknown = WORDS[name]['unknown']
    wrong = list(unknown)[1]
    with pytest.raises(ArgumentError, match=(
            fr"{name}: transforms\[1\] \({unknown['type']}\) does not take '{wrong}'; did you")):
        step('flip', unknown)


def test_a_bad_argument(step, name):
    bad = WORDS[name]['bad']
    with pytest.raises(ConfigError, match=(
            fr"{name}: transforms\[0\] \({bad['type']}\): \w+ does not take .*'wide'.* \(")):
        step(bad)


@pytest.mark.parametrize('transforms', [[], 'HorizontalFlip', dict(type='HorizontalFlip')])
def test_no_list_of_transforms(build, name, transforms):
    with pytest.raises(ConfigError, match='transforms'):
        build(name, transforms=transforms)


def test_what_is_no_transform(step, name):
    with pytest.raises(ConfigTypeError, match=fr'{name}: transforms\[1\]=5: give a dict with a ty'):
        step('flip', 5)
    with pytest.raises(ConfigTypeError, match=r"transforms\[0\] \(5\): the 'type' of a transform"):
        step(dict(type=5))


def test_an_error_of_the_library_names_the_transform_and_the_image(step, name):
    words = WORDS[name]
    pipeline = Compose([step('flip', words['one_of'](words['huge']))])
    with pytest.raises(ConfigError) as error:
        pipeline(dict(make_sample(), filename='a.jpg'))
    assert f'{name}: transforms[1].transforms[0] (RandomCrop): ' in str(error.value)
    assert 'cannot work on an image of uint8 [41, 57, 3] with 2 maps of uint8 (' in str(error.value)
    assert any('a.jpg' in note for note in error.value.__notes__)


@pytest.mark.parametrize('reason', [None, 'operator torchvision::nms does not exist'])
def test_a_package_that_does_not_load(step, name, monkeypatch, tmp_path, reason):
    package = WORDS[name]['module'].partition('.')[0]
    for module in [module for module in sys.modules if module.partition('.')[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    if reason is None:
        monkeypatch.setitem(sys.modules, package, None)
    else:
        (tmp_path / f'{package}.py').write_text(f'raise RuntimeError({reason!r})')
        monkeypatch.syspath_prepend(tmp_path)
    remedy = {'Albu': r"pip install 'mmseg-ascend\[albu\]'",
              'TorchvisionTransform': 'install the torchvision that is made for the installed'}
    with pytest.raises(MissingModuleError, match=(
            f'the step {name} needs {package}.*cannot be imported.*{remedy[name]}')):
        step('flip')
