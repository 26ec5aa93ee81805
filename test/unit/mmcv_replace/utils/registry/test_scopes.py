"""Registries of several packages; the names that they resolve are those that mmcv resolves."""
import pytest

from mmcv_replace.cnn import NORM_LAYERS
from mmcv_replace.utils import Registry
from mmcv_replace.utils.errors import RegistryError, RegistryTypeError
from mmseg.models import HEADS


class Tree:
    """top (this package) above mid, which is above left and right; each holds a class."""

    def __init__(self):
        self.top = Registry('part')
        self.mid = Registry('part', parent=self.top, scope='mid')
        self.left = Registry('part', parent=self.mid, scope='left')
        self.right = Registry('part', parent=self.mid, scope='right')
        for name in ('top', 'mid', 'left', 'right'):
            cls = type(name.title(), (), {})
            setattr(self, name.title(), cls)
            getattr(self, name).register_module(module=cls)


@pytest.fixture
def tree():
    return Tree()


@pytest.mark.parametrize(('registry', 'key', 'found'), [
    ('top', 'Top', 'Top'), ('top', 'mid.Mid', 'Mid'), ('top', 'mid.left.Left', 'Left'),
    ('top', 'Mid', None), ('top', 'left.Left', None), ('top', 'mid.Left', None),
    ('mid', 'Mid', 'Mid'), ('mid', 'mid.Mid', 'Mid'), ('mid', 'right.Right', 'Right'),
    ('mid', 'Top', None), ('mid', 'mid.Top', None),
    ('left', 'Left', 'Left'), ('left', 'mid.Mid', 'Mid'), ('left', 'mid.right.Right', 'Right'),
    ('left', 'right.Right', None), ('left', 'other.Right', None), ('left', 'Mid', None),
])
def test_names_up_and_down_the_tree(tree, registry, key, found):
    expected = found and getattr(tree, found)
    assert getattr(tree, registry).get(key) is expected
    assert (key in getattr(tree, registry)) is (found is not None)


def test_the_top_is_found_by_its_package(tree):
    package = __name__.partition('.')[0]
    assert tree.top.scope == package
    assert tree.left.get(f'{package}.Top') is tree.Top
    assert tree.left.build(dict(type=f'{package}.Top')).__class__ is tree.Top


def test_tree(tree):
    assert tree.top.children == {'mid': tree.mid}
    assert tree.mid.parent is tree.top
    assert tree.top.parent is None
    other = Registry('part', scope='other')
    tree.left._add_children(other)
    assert tree.left.children == {'other': other}
    assert len(tree.top) == 1


def test_scopes_of_our_registries():
    assert NORM_LAYERS.scope == 'mmcv'
    assert NORM_LAYERS.get('mmcv.BN') is NORM_LAYERS.get('BN')
    assert HEADS.scope == 'mmseg'
    assert HEADS.get('mmseg.FCNHead') is HEADS.get('FCNHead')


def test_scope_of_a_name():
    assert Registry.split_scope_key('a.b.C') == ('a', 'b.C')
    assert Registry.split_scope_key('C') == (None, 'C')


def test_a_name_with_a_dot_is_found_first(tree):
    tree.left.register_module('mid.Mid', module=tree.Left)
    assert tree.left.get('mid.Mid') is tree.Left


def test_unknown_names_are_explained(tree):
    with pytest.raises(RegistryError) as caught:
        tree.left.build(dict(type='mid.Mad'))
    assert str(caught.value).startswith("'mid.Mad' is not in registry 'part'; did you mean 'Mid'?")
    assert 'Known: Mid' in str(caught.value)
    with pytest.raises(RegistryError) as caught:
        tree.left.build(dict(type='mmdet.Lefd'))
    assert str(caught.value) == (
        "'mmdet.Lefd' is not in registry 'part': it knows no scope 'mmdet', only "
        f"left, mid, right, {tree.top.scope}. Leave the scope out for a class of this package; "
        "did you mean 'Left'?")
    with pytest.raises(RegistryError) as caught:
        tree.left.build(dict(type='mmdet.Cleats'))  # resembles Left, but is none
    assert str(caught.value).endswith(
        "This package has no 'Cleats': take one of Left, or register a class of your own, without "
        "a scope, in a module that the config imports, custom_imports = "
        "dict(imports=['package.module'])")


def test_function_that_builds(tree):
    def build(cfg, registry, default_args=None, extra=1):
        return cfg, registry.name, default_args, extra

    registry = Registry('thing', build)
    cfg = dict(a=1)
    assert registry.build(cfg, extra=3) == (cfg, 'thing', None, 3)
    assert registry.build(cfg, dict(b=2)) == (cfg, 'thing', dict(b=2), 1)
    assert Registry('thing', parent=registry, scope='x').build_func is build
    assert tree.left.build_func is tree.top.build_func


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(parent=3), "the parent of registry 'x' is a registry, not 3"),
    (dict(scope=3), "the scope of registry 'x' is a str, not 3"),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(TypeError, match=message):
        Registry('x', **arguments)


def test_wrong_children(tree):
    with pytest.raises(AssertionError, match="has a child of scope 'left' already"):
        Registry('part', parent=tree.mid, scope='left')
    with pytest.raises(RegistryTypeError, match="below registry 'part' are registries, not 3"):
        tree.top._add_children(3)
