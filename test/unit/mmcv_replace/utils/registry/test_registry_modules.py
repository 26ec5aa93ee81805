"""Registries that know the kind of their entries and the modules in which these live."""
import subprocess
import sys
from collections.abc import Callable, Sized
from importlib import import_module

import pytest
from torch import nn

from mmcv_replace.cnn import INITIALIZERS
from mmcv_replace.cnn.bricks import registry as layers
from mmcv_replace.runner import HOOKS, OPTIMIZER_BUILDERS, OPTIMIZERS
from mmcv_replace.runner.builder import RUNNERS
from mmcv_replace.utils import Registry
from mmcv_replace.utils.errors import RegistryError
from mmcv_replace.utils.lazy_names import lazy_names
from mmseg.datasets import DATASETS, PIPELINES
from mmseg.models import BACKBONES, HEADS, LOSSES, NECKS, SEGMENTORS

OURS = [BACKBONES, NECKS, HEADS, LOSSES, SEGMENTORS, DATASETS, PIPELINES, HOOKS, RUNNERS,
        OPTIMIZERS, OPTIMIZER_BUILDERS, INITIALIZERS, layers.CONV_LAYERS,
        layers.NORM_LAYERS, layers.ACTIVATION_LAYERS, layers.PADDING_LAYERS,
        layers.UPSAMPLE_LAYERS, layers.PLUGIN_LAYERS]


class Stray:
    """Has no methods at all."""


@pytest.mark.parametrize('registry', OURS, ids=lambda registry: registry.name)
def test_every_registry_refuses_a_class_of_another_kind(registry):
    before = list(registry)
    with pytest.raises(RegistryError) as caught:
        registry.register_module(module=Stray)
    message = str(caught.value)
    assert f'registry {registry.name!r} holds subclasses of {registry.base.__module__}.' in message
    assert f'{__name__}.Stray is none: derive it' in message
    assert list(registry) == before


@pytest.mark.parametrize(('base', 'methods'), [(Callable, '__call__'), (Sized, '__len__')])
def test_methods_alone_can_make_the_kind(base, methods):
    registry = Registry('thing', base=base)
    with pytest.raises(RegistryError, match=rf'{base.__name__} \(with {methods}\), and .*Stray'):
        registry.register_module(module=Stray)
    own = type('Own', (), {methods: lambda self: 0})
    assert registry.register_module(module=own) is registry.get('Own')


def test_functions_and_subclasses_are_welcome():
    registry = Registry('layer', base=nn.Module)

    @registry.register_module()
    def make(width):
        return nn.Linear(width, width)

    registry.register_module(module=nn.Linear)
    assert registry.build(dict(type='make', width=3)).in_features == 3
    assert list(registry) == ['make', 'Linear']


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of its own with a module of two components, and the registry that lists them."""
    name = 'package_of_the_test'
    folder = tmp_path / name
    folder.mkdir()
    (folder / '__init__.py').write_text(
        'from mmcv_replace.utils import Registry\n'
        'from mmcv_replace.utils.lazy_names import lazy_names\n'
        f"PARTS = Registry('part', modules={{'{name}.parts': ['First', 'second']}})\n"
        '__getattr__, __dir__, __all__ = lazy_names(__name__, PARTS.modules)\n')
    (folder / 'parts.py').write_text(
        f'from {name} import PARTS\n'
        '@PARTS.register_module()\nclass First: pass\n'
        "@PARTS.register_module(name='second')\nclass Second: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    package = __import__(name)
    yield package
    for module in [each for each in sys.modules if each.partition('.')[0] == name]:
        del sys.modules[module]


def is_loaded(package):
    return f'{package.__name__}.parts' in sys.modules


def test_entries_are_known_before_they_are_imported(package):
    parts = package.PARTS
    assert 'First' in parts
    assert 'Second' not in parts
    assert list(parts) == ['First', 'second']
    assert len(parts) == 2
    assert repr(parts).splitlines() == [
        "Registry 'part', 2 entries", '  First   package_of_the_test.parts.First',
        '  second  package_of_the_test.parts.second']
    with pytest.raises(RegistryError, match=r"did you mean 'second'\?[\s\S]*Known: First, second"):
        parts.find('secund')
    assert not is_loaded(package)
    assert {'First', 'second', 'PARTS'} <= set(dir(package))
    assert not is_loaded(package)


@pytest.mark.parametrize('ask', [
    lambda package: package.PARTS.get('First'), lambda package: package.First,
    lambda package: type(package.PARTS.build(dict(type='First'))),
    lambda package: package.PARTS.module_dict['First'], lambda package: package.parts.First])
def test_entries_are_imported_when_they_are_asked_for(package, ask):
    assert ask(package).__qualname__ == 'First'
    assert is_loaded(package)
    assert list(package.PARTS.module_dict) == ['First', 'second']
    assert repr(package.PARTS).splitlines()[-1] == '  second  package_of_the_test.parts.Second'


def test_a_module_that_does_not_register_what_the_table_says(package):
    parts = Registry('part', modules={f'{package.__name__}.parts': ['First']})
    with pytest.raises(RegistryError, match=r"package_of_the_test\.parts does not register 'First' "
                                            r"in registry 'part', .* decorator register_module"):
        parts.get('First')


def test_a_name_of_an_entry_that_is_not_imported_is_taken(package):
    with pytest.raises(RegistryError, match=r"'First' is already in registry 'part', as "
                                            r'package_of_the_test\.parts\.First: choose another'):
        package.PARTS.register_module('First', module=Stray)
    assert package.PARTS.get('First') is not Stray


def test_force_replaces_an_entry_for_good(package):
    package.PARTS.register_module('First', force=True, module=Stray)
    assert package.PARTS.get('second').__name__ == 'Second'
    assert package.PARTS.get('First') is Stray


def test_the_table_can_be_changed_as_in_mmcv(package):
    del package.PARTS.module_dict['second']
    assert package.PARTS.register_module('second', module=Stray) is package.PARTS.get('second')
    package.PARTS.module_dict['third'] = Stray
    assert package.PARTS.get('third') is Stray


@pytest.mark.parametrize('registry', OURS, ids=lambda registry: registry.name)
def test_tables_name_the_modules_that_register(registry):
    for module, names in registry.modules.items():
        for name in names:
            home = registry.get(name).__module__
            assert home == module or home.startswith('torch.nn.')


def test_building_one_model_imports_nothing_of_the_others():
    code = ('import sys; from mmseg.models import BACKBONES, HEADS, FCNHead, build_head\n'
            "build_head(dict(type='FCNHead', in_channels=4, channels=4, num_classes=2))\n"
            "assert {'ResNet', 'PSPHead'} <= {*BACKBONES, *HEADS}\n"
            "print(*[name for name in sys.modules if name.startswith('mmseg.models')])")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert 'mmseg.models.decode_heads.fcn_head' in loaded
    assert not {'mmseg.models.backbones.resnet', 'mmseg.models.decode_heads.psp_head',
                'mmseg.models.segmentors.encoder_decoder'}.intersection(loaded)


def test_an_unknown_name_of_a_package_is_an_attribute_error():
    get, _, names = lazy_names('mmseg.models', BACKBONES.modules)
    assert names == list(BACKBONES)
    assert get('ResNet') is BACKBONES.get('ResNet')
    with pytest.raises(AttributeError, match="'mmseg.models' has no attribute 'Resnet'"):
        get('Resnet')


@pytest.mark.parametrize(('package', 'module'), [
    ('mmcv_replace.runner', 'checkpoint'), ('mmcv_replace.runner', 'optimizer'),
    ('mmcv_replace.runner.hooks', 'checkpoint'), ('mmseg.datasets.pipelines', 'transforms')])
def test_an_attribute_is_the_module_of_that_path(package, module):
    # Although HOOKS has a module hooks/checkpoint.py, and no table names transforms.py.
    get, _, _ = lazy_names(package, HOOKS.modules)
    assert get(module).__name__ == f'{package}.{module}'


@pytest.mark.parametrize(('module', 'name'), [
    ('mmcv_replace.runner.checkpoint', 'load_checkpoint'),
    ('mmcv_replace.runner.hooks.hook', 'Hook'),
    ('mmcv_replace.runner.hooks.lr_updater', 'LrUpdaterHook'),
    ('mmcv_replace.utils.config', 'DELETE_KEY'),
    ('mmseg.core.seg.sampler.base_pixel_sampler', 'BasePixelSampler'),
    ('mmseg.datasets.pipelines.transforms', 'Resize'),
    ('mmseg.datasets.pipelines.compose', 'Compose'),
    ('mmseg.models.backbones.resnet', 'Bottleneck'),
    ('mmseg.models.losses.utils', 'weighted_loss')])
def test_import_paths_of_user_code_stay(module, name):
    assert hasattr(import_module(module), name)


def test_modules_that_are_added_later():
    code = (
        'import sys\nfrom mmcv_replace.runner import HOOKS\nimport mmseg.report\n'
        "print('mmseg.report.hook' in sys.modules, 'ReportHook' in HOOKS,\n"
        "      HOOKS.get('ReportHook').__module__, HOOKS.get('EMAHook').__name__)")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['False', 'True', 'mmseg.report.hook', 'EMAHook']
