"""The documents name options and files that exist, and the READMEs say the same things."""
import re
from pathlib import Path

import pytest

from . import documents

ROOT = Path(__file__).resolve().parents[2]

ENGLISH, CHINESE, _ = DOCUMENTS = [
    documents.Document(ROOT / name) for name in ('README.md', 'README.zh-CN.md', 'CONTRIBUTING.md')]
OPTION = re.compile(r'--[a-z][\w-]*')
# Options of other programs than ours.
OTHERS = {'--logdir': 'tensorboard', '--backend-store-uri': 'mlflow',
          '--ntasks-per-node': 'srun', '--signals-to-handle': 'torchrun', '--run-slow': 'pytest',
          '--key': 'a pattern', '--extra-index-url': 'pip', '--no-build-isolation': 'pip',
          '--no-deps': 'pip'}


@pytest.fixture(scope='session')
def our_options(repo_dir):
    """What the parsers of the commands and the scripts know."""
    files = [*repo_dir.glob('tools/**/*.py'), *repo_dir.glob('mmseg/**/*.py'),
             *repo_dir.glob('test/*.sh'), *repo_dir.glob('tools/*.sh')]
    text = '\n'.join(file.read_text() for file in files)
    names = re.search(r'^OPTIONS="\$TRAINING (.*?)"', text, re.MULTILINE | re.DOTALL)[1].split()
    return {*re.findall(r'(?<=[\'" ])--[a-z][\w-]*', text), '--help', *(
        f'--{name}' for name in names)}


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda document: document.name)
def test_options_exist(document, our_options):
    texts = document.spans + [command for block in document.blocks for command in block.commands]
    for code in texts:
        for option in OPTION.findall(code.text):
            plain = '--' + option.removeprefix('--no-')
            assert {option, plain} & our_options or option in OTHERS, (
                f'{document.name}:{code.line}: no command of ours has {option}; is it of another '
                'program, add it to OTHERS')


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda document: document.name)
def test_files_exist(document):
    folders = ('configs', 'mmcv_replace', 'mmseg', 'test', 'tools')
    for span in document.spans:
        for path in re.findall(rf'(?<![\w/.-])(?:{"|".join(folders)})/[\w/.-]*', span.text):
            if 'my_' not in path:
                assert (ROOT / path).exists(), f'{document.name}:{span.line}: there is no {path}'
    for link in document.links:
        if '://' not in link:
            assert (ROOT / link).exists(), f'{document.name}: there is no {link}'


def test_twenty_questions_have_a_file():
    """test_files_exist looks for the files."""
    table = (ROOT / 'CONTRIBUTING.md').read_text().split('## Where is ...?')[1].split('\n## ')[0]
    rows = re.findall(r'^\| [^|]+\? \| `[^|]+` \|$', table, re.MULTILINE)
    assert len(rows) >= 20


@pytest.mark.parametrize('what', ['commands', 'settings', 'options', 'headings', 'blocks'])
def test_the_readmes_say_the_same(what):
    def facts(document):
        if what == 'headings':
            return document.headings
        if what == 'blocks':
            return [(block.language, block.text) for block in document.blocks
                    if block.language != 'bash']
        if what == 'options':
            return {option for span in document.spans for option in OPTION.findall(span.text)}
        return {(code.bare, code.needs) for code in getattr(document, what)}
    assert facts(ENGLISH) == facts(CHINESE)
