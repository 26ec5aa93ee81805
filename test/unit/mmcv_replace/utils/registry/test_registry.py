import pytest

from mmcv_replace.utils import ConfigDict, Registry, build_from_cfg
from mmcv_replace.utils.config.config_dict import assign
from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError, RegistryError


class Base:
    def __init__(self, channels, dropout=0.1):
        self.channels, self.dropout = channels, dropout


class Head(Base):
    def __init__(self, bins=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.bins = bins


@pytest.fixture
def heads():
    registry = Registry('head')
    registry.register_module(module=Head)
    registry.register_module('Plain', module=Base)
    return registry


def test_decorator_registers_under_the_class_name_and_returns_the_class():
    registry = Registry('x')

    @registry.register_module()
    class One:
        pass

    @registry.register_module(name=['two', 'zwei'])
    class Two:
        pass

    with pytest.warns(UserWarning, match='parentheses'):
        @registry.register_module
        class Three:
            pass

    assert registry.module_dict == {'One': One, 'two': Two, 'zwei': Two, 'Three': Three}
    assert list(registry) == ['One', 'two', 'zwei', 'Three']
    assert len(registry) == 4
    assert 'two' in registry
    assert 'Two' not in registry
    assert registry.get('zwei') is Two


def test_repr_is_a_table_of_names_and_places(heads):
    assert repr(heads).splitlines() == [
        "Registry 'head', 2 entries",
        f'  Head   {__name__}.Head',
        f'  Plain  {__name__}.Base',
    ]


def test_duplicate_is_refused_unless_forced(heads):
    class Other:
        pass

    with pytest.raises(RegistryError, match=r"'Head' is already in registry 'head', as .*\.Head: "
                                            r'.*Other.*force=True'):
        heads.register_module('Head', module=Other)
    assert heads.get('Head') is Head
    heads.register_module('Head', force=True, module=Other)
    assert heads.get('Head') is Other


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(name='three', module=3), 'holds classes and functions, not 3'),
    (dict(name=3), 'a name is a str or several, not 3'),
    (dict(name=['a', 3], module=Head), "a name is a str or several, not ['a', 3]"),
    (dict(name='a', force='yes'), "force is True or False, not 'yes'"),
])
def test_only_names_of_classes_and_functions(heads, arguments, message):
    with pytest.raises(RegistryError) as caught:
        heads.register_module(**arguments)
    assert message in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_old_forms_with_the_class_in_place_of_the_name(heads):
    class Other:
        pass

    with pytest.warns(DeprecationWarning, match='register_module takes a class by') as caught:
        assert heads.register_module(Other) is Other
    assert caught[0].filename == __file__
    for register in (heads.register_module, heads.deprecated_register_module):
        with pytest.warns(UserWarning, match='module='), pytest.raises(KeyError, match='already'):
            register(Other)
        with pytest.warns(UserWarning, match='module='):
            assert register(Other, force=True) is Other
    with pytest.warns(UserWarning, match='module='):
        assert heads.deprecated_register_module(force=True)(Other) is Other
    with pytest.warns(UserWarning, match='module='):
        heads.deprecated_register_module(type('New', (), {}))
    assert 'New' in heads


def test_unknown_names_are_none(heads):
    assert heads.get('Unknown') is None
    assert heads.get(None) is None
    assert None not in heads


def test_unknown_name_suggests_and_says_what_to_import(heads):
    with pytest.raises(RegistryError) as caught:
        heads.find('head')
    message = str(caught.value)
    assert message.startswith("'head' is not in registry 'head'; did you mean 'Head'?")
    assert 'custom_imports' in message
    assert 'Known: Head, Plain' in message
    assert isinstance(caught.value, KeyError)


def test_build_takes_names_classes_and_defaults(heads):
    head = heads.build(dict(type='Head', channels=3), default_args=dict(channels=5, dropout=0.5))
    assert (head.channels, head.dropout, head.bins) == (3, 0.5, (1, 2))
    assert isinstance(build_from_cfg(dict(type=Base, channels=1), heads), Base)
    assert isinstance(heads.build({'channels': 1}, default_args={'type': 'Plain'}), Base)


def test_build_leaves_the_config_as_it_was(heads):
    cfg = ConfigDict(type='Head', channels=3)
    heads.build(cfg, default_args=dict(dropout=0))
    assert cfg == dict(type='Head', channels=3)


def test_function_can_be_built(heads):
    @heads.register_module()
    def double(value):
        return 2 * value

    assert heads.build(dict(type='double', value=4)) == 8
    with pytest.raises(ArgumentError, match="does not take 'valeu'; did you mean 'value'"):
        heads.build(dict(type='double', valeu=4))


@pytest.mark.parametrize(('cfg', 'message'), [
    ('Head', "a head is described by a dict with a 'type', not by 'Head'"),
    ({'channels': 3}, 'a head must contain the key "type": {\'channels\': 3}'),
    ({'type': 3}, "the 'type' of a head is a name or a class, not 3"),
])
def test_bad_description(heads, cfg, message):
    with pytest.raises(ConfigError) as caught:
        heads.build(cfg)
    assert str(caught.value) == message
    assert isinstance(caught.value, KeyError if cfg == {'channels': 3} else TypeError)


def test_bad_arguments_of_build(heads):
    with pytest.raises(TypeError, match="looked up in a Registry, not 'heads'"):
        build_from_cfg(dict(type='Head'), 'heads')
    with pytest.raises(TypeError, match=r'default_args is a dict or None, not \[\]'):
        build_from_cfg(dict(type='Head'), heads, [])


def test_unknown_argument_names_component_key_file_and_choices(heads):
    cfg = ConfigDict()
    assign(cfg, 'head', dict(type='Plain', chanels=3, dropout=0), 'configs/a.py')
    with pytest.raises(ArgumentError) as caught:
        heads.build(cfg.head)
    assert str(caught.value) == (
        "head 'Plain' does not take 'chanels' (set by configs/a.py); did you mean 'channels'?\n"
        'It takes: channels, dropout')
    assert isinstance(caught.value, TypeError)


def test_arguments_of_another_type_that_are_inherited(heads):
    cfg = ConfigDict()
    assign(cfg, 'head', dict(type='Head', bins=3), 'configs/base.py')
    assign(cfg.head, 'type', 'Plain', 'configs/a.py')
    with pytest.raises(ArgumentError) as caught:
        heads.build(cfg.head)
    assert str(caught.value) == (
        "head 'Plain' does not take 'bins' (set by configs/base.py)\n"
        'It takes: channels, dropout\n'
        'Its type is set by configs/a.py: _delete_=True beside it drops the arguments of the one '
        'before')


def test_unknown_argument_is_found_in_the_base_that_kwargs_reach(heads):
    with pytest.raises(ArgumentError) as caught:
        heads.build(dict(type='Head', channels=3, drop_out=0))
    assert str(caught.value) == ("head 'Head' does not take 'drop_out'; did you mean 'dropout'?\n"
                                 'It takes: bins, channels, dropout')


@pytest.mark.parametrize('name', ['Plain', 'Head'])
def test_missing_argument(heads, name):
    with pytest.raises(ArgumentError, match=f"head '{name}' needs 'channels': add it"):
        heads.build(dict(type=name))


def test_component_may_keep_arguments_that_its_base_does_not_know(heads):
    @heads.register_module()
    class Keeper(Base):
        def __init__(self, **kwargs):
            self.extra = kwargs.pop('extra')
            super().__init__(**kwargs)

    assert heads.build(dict(type='Keeper', extra=7, channels=1)).extra == 7


def test_constructor_error_keeps_its_type_and_names_the_component(heads):
    @heads.register_module()
    class Broken:
        def __init__(self, value):
            raise DataError('the value is bad')

    @heads.register_module()
    class Outer:
        def __init__(self, inner):
            heads.build(inner)

    with pytest.raises(DataError, match='the value is bad') as caught:
        heads.build(dict(type='Outer', inner=dict(type='Broken', value=1)))
    shown = '\n'.join([str(caught.value), *getattr(caught.value, '__notes__', [])])
    assert shown.splitlines()[1:] == ["while building head 'Broken'", "while building head 'Outer'"]


def test_type_error_inside_a_constructor_is_not_mistaken_for_a_wrong_argument(heads):
    @heads.register_module()
    class Clumsy(Base):
        def __init__(self, **kwargs):
            int(base=kwargs['channels'])

    with pytest.raises(TypeError) as caught:
        heads.build(dict(type='Clumsy', channels=3))
    assert not isinstance(caught.value, ArgumentError)


def test_builtin_without_a_signature_is_called_unchecked():
    assert build_from_cfg(dict(type=dict, a=1), Registry('x')) == {'a': 1}
