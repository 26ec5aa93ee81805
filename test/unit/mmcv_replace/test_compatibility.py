"""The public names of mmcv 1.7.2: each imports with mmcv's parameters, or a table says why not."""
import enum
import importlib
import inspect
import json
from enum import EnumMeta

import pytest

import mmcv_replace
from mmcv_replace import compatibility

PACKAGES = ['mmcv', 'mmcv.arraymisc', 'mmcv.cnn', 'mmcv.cnn.bricks', 'mmcv.cnn.utils',
            'mmcv.engine', 'mmcv.fileio', 'mmcv.image', 'mmcv.ops', 'mmcv.parallel', 'mmcv.runner',
            'mmcv.runner.hooks', 'mmcv.runner.optimizer', 'mmcv.utils', 'mmcv.video',
            'mmcv.visualization']
# Of a class without a constructor, some Pythons say (), others (*args, **kwargs).
ANYTHING = ['*args', '**kwargs']
LONG = 80  # characters of a default that are left out


@pytest.fixture(scope='module')
def api(shared_dir):
    file = shared_dir / 'reference/golden_mmcv/api.json'
    if not file.is_file():
        pytest.skip(f'no {file.name}')
    return json.loads(file.read_text())


def here(package):
    """The name here of a package of mmcv."""
    return package.replace('mmcv', 'mmcv_replace', 1)


def find(package, name):
    """The object, or the text of the error."""
    try:
        return getattr(importlib.import_module(here(package)), name)
    except ModuleNotFoundError:
        return str(compatibility.why_absent(package))
    except (ImportError, AttributeError) as error:
        return str(error)


def shown(parameter):
    stars = {inspect.Parameter.VAR_POSITIONAL: '*', inspect.Parameter.VAR_KEYWORD: '**'}
    if parameter.default is parameter.empty:
        default = ''
    elif hasattr(parameter.default, 'write') or len(repr(parameter.default)) > LONG:
        default = '=...'  # a stream, such as sys.stdout, or a sentence
    else:
        default = f'={parameter.default!r}'
    return f'{stars.get(parameter.kind, "")}{parameter.name}{default}'


def fits(expected, component):
    """Whether parameters begin with the expected ones, and what follows need not be given."""
    if isinstance(component, EnumMeta):  # whose parameters each Python tells in another way
        return True
    parameters = list(inspect.signature(component).parameters.values())
    expected = [] if expected == ANYTHING else expected
    named = [text for text in expected if not text.startswith('**')]
    rest = parameters[len(named):]
    # `=...` leaves the value open.
    same = len(parameters) >= len(named) and all(
        shown(parameter).startswith(text[:-3]) if text.endswith('=...') else
        shown(parameter) == text for text, parameter in zip(named, parameters, strict=False))
    return same and all(
        parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) for parameter in rest)


def faults(package, name, facts):
    component = find(package, name)
    if isinstance(component, str) and facts['kind'] != 'value':
        if 'COMPATIBILITY.md' not in component:
            yield 'is missing'
        return
    if facts['kind'] == 'value':
        return
    if isinstance(component, enum.EnumMeta):  # its call differs between Pythons
        return
    known = facts['parameters'] is not None  # not of what mmcv.ops imports from elsewhere
    if known and f'{package}.{name}' not in compatibility.PARAMETERS and not fits(
            facts['parameters'], component):
        yield f'has {inspect.signature(component)}, and mmcv ({", ".join(facts["parameters"])})'
    missing = [method for method in facts.get('methods', ()) if not hasattr(component, method)]
    if missing:
        yield f'lacks {", ".join(missing)}'


@pytest.mark.parametrize('package', PACKAGES)
def test_every_name_of_mmcv(api, package):
    wrong = [f'{package}.{name} {fault}' for name, facts in api[package].items()
             for fault in faults(package, name, facts)]
    assert not wrong, '\n'.join(wrong)


def test_walk_covers_all_packages(api):
    assert set(api) == set(PACKAGES)


def entries():
    return [(package, name, reason) for package, names, reason in compatibility._absent()
            for name in names]


def test_a_name_that_is_left_out_says_why():
    for package, name, reason in entries():
        if name == '*':
            assert reason in compatibility.why_absent(f'{package}.any.part')
            continue
        if find(package, '*') == compatibility.why_absent(package):  # all of the package
            assert reason in compatibility.why_absent(package, name)
            continue
        with pytest.raises(ImportError) as error:
            exec(f'from {here(package)} import {name}')
        assert reason in str(error.value)
        assert 'mmcv_replace/COMPATIBILITY.md' in str(error.value)
        assert name not in dir(importlib.import_module(here(package)))


def test_tables_name_what_mmcv_has(api):
    for package, name, _ in entries():
        assert name == '*' or name in api[package] or package == 'mmcv.utils'
    for full_name, reason in compatibility.PARAMETERS.items():
        package, _, name = full_name.rpartition('.')
        assert reason
        assert not fits(api[package][name]['parameters'], find(package, name)), full_name


def test_names_that_mmcv_itself_exports(api):
    with pytest.raises(ImportError, match='optical flow'):
        mmcv_replace.flow2rgb  # noqa: B018
    with pytest.raises(AttributeError, match='no_such_name'):
        mmcv_replace.no_such_name  # noqa: B018


def test_the_document_lists_the_tables(repo_dir):
    lines = (repo_dir / 'mmcv_replace/COMPATIBILITY.md').read_text(encoding='utf-8').splitlines()
    for package, name, reason in entries():
        row = next(line for line in lines if line.startswith(f'| {reason} |'))
        assert f'`{package}`' in row
        assert name == '*' or f'`{name}`' in row
    for full_name, reason in compatibility.PARAMETERS.items():
        assert f'| `{full_name}` | {reason} |' in lines
    names = {name for line in lines[:lines.index('## Other parameters')] if line.startswith('| ')
             for name in line.split('`')[1::2]}
    assert names <= {part for package, name, _ in entries() for part in (package, name)}
