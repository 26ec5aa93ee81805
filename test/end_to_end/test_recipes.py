"""CONTRIBUTING's recipes: their files and table rows are pasted, and their commands pass.

A recipe is a `###` section. `# PATH` at the start of a block means a new file, `# PATH, below LINE`
text that goes below the first line of that file that begins with LINE; a block may hold several.
The section's commands then run in a copy of the repository.
"""
import re
import shutil
from pathlib import Path

import pytest

from .desk import run
from .documents import Document

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = Document(ROOT / 'CONTRIBUTING.md')
RECIPES = [section for section in DOCUMENT.sections if section.level == 3]
PART = re.compile(r'^# (\S+/\S+\.\w+)(?:, below (.+))?\n', re.MULTILINE)
KINDS = {'decode head', 'backbone', 'loss', 'data set', 'transform', 'operator', 'hook',
         'learning-rate policy', 'cluster scheduler'}


def parts(recipe):
    """(path, line of that file or None, text) of everything that a recipe says to paste."""
    for block in recipe.blocks:
        if block.language != 'bash':
            _, *found = PART.split(block.text)
            assert found, f'{DOCUMENT.name}:{block.line}: begin the block with "# PATH"'
            yield from zip(found[::3], found[1::3], found[2::3], strict=True)


def paste(recipe, checkout):
    """Write a recipe's files and rows; returns the paths."""
    written = []
    for path, line, text in parts(recipe):
        file = checkout / path
        if line is None:
            assert not file.exists(), f'{path} exists: recipes do not replace files'
            file.write_text(text)
        else:
            lines = file.read_text().splitlines(keepends=True)
            found = [number for number, other in enumerate(lines) if other.startswith(line)]
            assert found, f'{path}: no line begins with {line!r}'
            lines.insert(found[0] + 1, text.rstrip('\n') + '\n')
            file.write_text(''.join(lines))
        written.append(path)
    return written


@pytest.fixture(scope='session')
def checkout(tmp_path_factory):
    """A copy of the repository without its end-to-end tests."""
    folder = tmp_path_factory.mktemp('recipes') / 'checkout'
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(
        '.*', '__pycache__', 'end_to_end', 'work_dirs', 'data', 'output', '*.egg-info'))
    return folder


def test_there_is_a_recipe_for_every_kind():
    assert {section.title.split(maxsplit=1)[1] for section in RECIPES} == KINDS


@pytest.mark.parametrize('recipe', RECIPES, ids=lambda recipe: recipe.title)
def test_recipes(recipe, checkout):
    pytest.importorskip('ruff')
    written = paste(recipe, checkout)
    ours = {path for path in written if not path.startswith('test/')}
    assert len(ours) == 2, 'a recipe is one file, and an entry in the table of another'
    run(checkout, f'ruff check {" ".join(path for path in written if path.endswith(".py"))}')
    assert recipe.commands, 'name the command that tests it'
    for command in recipe.commands:
        text = run(checkout, f'PYTHONPATH=. {command.bare} -p no:cacheprovider')
        assert re.search(r'\b([2-9]|\d\d+) passed', text), text
