"""Input is data: nothing that comes in a file, an option or an answer of a server is run."""
import ast
import hashlib
import http.server
import io
import json
import os
import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace import load
from mmcv_replace.fileio import load_array
from mmcv_replace.runner import load_checkpoint
from mmcv_replace.runner.checkpoints import download
from mmcv_replace.utils import Config
from mmcv_replace.utils.config import CONFIG_ROOTS
from mmcv_replace.utils.config.options import parse_option_value
from mmcv_replace.utils.config.syntax import parse_python
from mmcv_replace.utils.errors import CheckpointError, ConfigError, DataError, UserError
from mmseg.apis.cli import load_config
from mmseg.apis.inference import init_segmentor
from mmseg.core.evaluation import eval_metrics
from mmseg.models.losses.utils import get_class_weight

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ('mmcv_replace', 'mmseg', 'tools', 'configs')
                 for path in (ROOT / folder).rglob('*.py'))

# What can run code or write anywhere -> the files that may call it, for a reason given there.
DANGEROUS = {
    'exec': ['mmcv_replace/utils/config/python_file.py'],  # a config in Python is a program
    'compile': ['mmcv_replace/utils/config/python_file.py'],
    'eval': [], '__import__': [], 'input': [],
    'pickle.loads': ['mmseg/datasets/caching/cache.py',  # what the job itself has pickled
                     'mmseg/datasets/loader/failures.py'],  # what it pickles to try it
    'pickle.load': ['mmcv_replace/fileio/handlers/pickle_handler.py'],  # only with trusted=True
    'pickle.Unpickler': [], 'marshal.load': [], 'marshal.loads': [],
    'shelve.open': [], 'dill.load': [], 'joblib.load': [], 'pandas.read_pickle': [],
    # With a kind of SafeLoader, unless the caller names another one.
    'yaml.load': ['mmcv_replace/fileio/handlers/yaml_handler.py'],
    'yaml.load_all': [], 'yaml.unsafe_load': [], 'yaml.full_load': [],
    'scipy.io.loadmat': ['mmseg/datasets/converters/mat_files.py'],  # numbers, no code
    'os.system': [], 'os.popen': [], 'tempfile.mktemp': [], 'shutil.unpack_archive': [],
    'urllib.request.urlopen': ['mmcv_replace/fileio/backends/http.py'],  # http alone
    'urllib.request.urlretrieve': [],
}
METHODS = ('extractall', 'extract', 'unpack_archive', 'read_pickle')


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f'{dotted(node.value)}.{node.attr}'
    return node.id if isinstance(node, ast.Name) else '?'


def dangers(source):
    """(line, name) of each call in a source that could run what it reads, or write anywhere."""
    tree = parse_python(source)
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.ImportFrom):
            names.update((alias.asname or alias.name, f'{node.module}.{alias.name}')
                         for alias in node.names)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, dot, rest = dotted(node.func).partition('.')
        name = names.get(first, first) + dot + rest
        options = {keyword.arg: getattr(keyword.value, 'value', '?') for keyword in node.keywords}
        if (name in DANGEROUS or name.rpartition('.')[2] in METHODS
                or name == 'torch.load' and options.get('weights_only') is not True
                or name == 'numpy.load' and options.get('allow_pickle', False) is not False
                or options.get('shell', False) is not False):
            yield node.lineno, name


def test_no_source_calls_what_could_run_its_input():
    found = [f'{path.relative_to(ROOT)}:{line}: {name}' for path in SOURCES
             for line, name in dangers(path.read_text(encoding='utf-8'))
             if path.relative_to(ROOT).as_posix() not in DANGEROUS.get(name, ())]
    assert not found


def test_exceptions_are_still_needed():
    used = {(name, path.relative_to(ROOT).as_posix()) for path in SOURCES
            for _, name in dangers(path.read_text(encoding='utf-8'))}
    assert {(name, file) for name, files in DANGEROUS.items() for file in files} <= used


@pytest.mark.parametrize('code', [
    'eval(text)', 'import torch as t\nt.load(f)', 'torch.load(f, weights_only=False)',
    'torch.load(f, weights_only=flag)', 'import numpy as np\nnp.load(f, allow_pickle=True)',
    'from pickle import loads\nloads(x)', 'from pickle import loads as l\nl(x)',
    'import pickle as p\np.load(f)', 'yaml.unsafe_load(x)', 'archive.extractall(d)',
    'import subprocess as s\ns.run(c, shell=True)', 'os.system(c)', 'def f():\n    exec(x)'])
def test_the_search_finds_them(code):
    assert list(dangers(code))


@pytest.mark.parametrize('code', [
    'model.eval()', 'torch.load(f, weights_only=True)', 'import numpy as np\nnp.load(f)',
    'run(c, shell=False)', 're.compile(x)', 'ast.literal_eval(x)'])
def test_the_search_leaves_others_alone(code):
    assert not list(dangers(code))


# Pickles that make a folder when they are loaded.

class Attack:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def trap(tmp_path):
    """An object whose pickle runs code; the test fails if it did."""
    yield Attack(tmp_path / 'ran')
    assert not (tmp_path / 'ran').exists()


def test_the_trap_works(tmp_path):
    pickle.loads(pickle.dumps(Attack(tmp_path / 'sprung')))
    assert (tmp_path / 'sprung').exists()


def saved(content, zipped=True):
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


FORMS = {
    'zip': lambda trap: saved({'state_dict': {'weight': torch.ones(2)}, 'meta': trap}),
    'legacy': lambda trap: saved({'state_dict': {}, 'meta': trap}, zipped=False),
    'pickle': lambda trap: pickle.dumps({'state_dict': trap}, protocol=2),
    'array': lambda trap: saved({'state_dict': {}, 'meta': np.array([trap])}),
}


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('form', FORMS)
def test_checkpoints(trap, tmp_path, form):
    file = tmp_path / 'evil.pth'
    file.write_bytes(FORMS[form](trap))
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        load_checkpoint(nn.Linear(1, 1), file)
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        init_segmentor(ROOT / 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py', str(file),
                       device='cpu')


def test_results_and_other_files(trap, tmp_path):
    (tmp_path / 'evil.pkl').write_bytes(pickle.dumps([trap]))
    np.save(tmp_path / 'evil.npy', np.array([[trap]]), allow_pickle=True)
    np.savez(tmp_path / 'evil.npz', a=np.array([trap]))
    for work in (lambda: load(tmp_path / 'evil.pkl'), lambda: load_array(tmp_path / 'evil.npy'),
                 lambda: load_array(tmp_path / 'evil.npz'),
                 lambda: get_class_weight(str(tmp_path / 'evil.npy')),
                 lambda: get_class_weight(str(tmp_path / 'evil.pkl')),
                 lambda: eval_metrics([str(tmp_path / 'evil.npy')], [np.zeros((1, 1))], 2, 255)):
        with pytest.raises(DataError, match='evil'):
            work()


@pytest.mark.parametrize('text', [
    'a: !!python/object/apply:os.mkdir ["{0}"]', 'a: !!python/object/new:os.mkdir ["{0}"]',
    '!!python/object/apply:os.mkdir ["{0}"]: 1', 'a: !!python/module:os', 'a: !os.mkdir "{0}"'])
def test_yaml(trap, tmp_path, text):
    file = tmp_path / 'evil.yaml'
    file.write_text(text.replace('{0}', trap.path))
    with pytest.raises(ConfigError, match=r'evil\.yaml is not valid yaml'):
        Config.fromfile(file)


CODE = '__import__("os").mkdir("{0}")'


@pytest.mark.parametrize('text', [CODE, f'[{CODE}]', f'({CODE},)', '{"a": ' + CODE + '}',
                                  f'f"{{{CODE}}}"', f'{{{{ {CODE} }}}}', f'lambda: {CODE}'])
def test_options_and_json(trap, tmp_path, text):
    text = text.replace('{0}', trap.path)
    file = tmp_path / 'a.json'
    file.write_text(json.dumps({'a': text, 'b': {text: text}}))
    cfg = load_config(file, {'c.d': text})
    assert cfg.a == cfg.c.d == text
    try:
        cfg.merge_from_dict({'e': parse_option_value(text)})
    except ConfigError:
        assert text.startswith('{')
    assert Config.fromstring(cfg.pretty_text) == cfg


@pytest.mark.parametrize('name', ["it's", 'a"b', "'''", '"""', 'new\nline', 'back\\slash',
                                  'a: b #c', "x' + __import__('os').mkdir('{0}') + '", '{x}',
                                  '${x}', '- [*a',
                                  "\n__import__('os').mkdir('{0}')\n#", 'ünï 日本', '%s', '-rf'])
@pytest.mark.parametrize('quote', ["'", '"', "'''", '"""'])
@pytest.mark.parametrize('suffix', ['.py', '.json', '.yaml'])
def test_the_name_of_a_folder_is_a_text(trap, tmp_path, monkeypatch, name, quote, suffix):
    """`{{ fileDirname }}` in every kind of quotes, and in a comment."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / name.replace('{0}', 'ran')
    folder.mkdir(parents=True)
    quote = {'.py': quote, '.json': '"', '.yaml': quote[0]}[suffix]
    comment = '' if suffix == '.json' else '# {{ fileDirname }}\n'
    text = {'.py': '{}a = {}{{{{ fileDirname }}}}{}\n', '.yaml': '{}a: {}{{{{ fileDirname }}}}{}\n',
            '.json': '{}{{"a": {}{{{{ fileDirname }}}}{}}}\n'}[suffix]
    (folder / f'c{suffix}').write_text(text.format(comment, quote, quote))
    assert Config.fromfile(folder / f'c{suffix}').a == folder.as_posix()


def test_data_does_not_start_programs(trap, tmp_path, monkeypatch):
    (tmp_path / 'base.py').write_text(f'import os\nos.mkdir({trap.path!r})\na = 1\n')
    for suffix in ('json', 'yaml'):
        (tmp_path / f'leaf.{suffix}').write_text('{"_base_": "base.py"}')
        with pytest.raises(ConfigError, match=rf'leaf\.{suffix} is data.*base\.py'):
            Config.fromfile(tmp_path / f'leaf.{suffix}')
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs/ours.py').write_text('a = 1\n')
    (tmp_path / 'leaf.json').write_text('{"_base_": "configs/ours.py"}')
    monkeypatch.setattr('mmcv_replace.utils.config.file.CONFIG_ROOTS', [*CONFIG_ROOTS, tmp_path])
    assert Config.fromfile(tmp_path / 'leaf.json') == {'a': 1}  # as safe as the package itself


# Downloads, from a server on this machine.

@pytest.fixture
def serve(tmp_path, monkeypatch):
    """`serve(content, status, **headers)`: the address of a server that answers so."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    running = []

    def start(content=b'', status=200, wait=0.0, **headers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                time.sleep(wait)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace('_', '-'), value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        running.append((server, thread))
        return f'http://127.0.0.1:{server.server_port}'

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def stored(tmp_path):
    return [path for path in (tmp_path / 'home').rglob('*') if path.is_file()]


@pytest.mark.parametrize('form', ['zip', 'legacy'])
def test_downloaded_code_is_not_run(trap, serve, tmp_path, form):
    """Also when its name has the right hash: that only says where it comes from."""
    content = FORMS[form](trap)
    name = f'evil-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    with pytest.raises(CheckpointError, match=rf'{name} is not loaded.*mkdir'):
        load_checkpoint(nn.Linear(1, 1), f'{serve(content)}/{name}')


@pytest.mark.parametrize(('answer', 'reason'), [
    (dict(content=b'x', Content_Length='2'), 'broke off after 1 of 2'),
    (dict(content=b'xxx'), r'SHA-256'),
    (dict(content=b'x', Content_Length='many'), r'SHA-256'),
    (dict(content=b'x', Content_Length='-5'), r'SHA-256'),
    (dict(status=404), '404'), (dict(status=500), '500'),
    (dict(status=302, Location='file:///etc/passwd'), 'not allowed'),
    (dict(status=302, Location='ftp://127.0.0.1/x'), 'leads to ftp'),
    (dict(status=302, Location='http://127.0.0.1:9/x'), 'refused'),
    (dict(status=302, Location='/x-0123abcd.pth'), 'infinite loop'),
    (dict(wait=1.0), 'timed out')])
def test_failed_downloads_leave_nothing(serve, tmp_path, monkeypatch, answer, reason):
    """But the part of the one that broke off, which is continued and then checked by its hash."""
    monkeypatch.setattr(download, 'TIMEOUT', 0.3)
    with pytest.raises(CheckpointError, match=reason):
        load_checkpoint(nn.Linear(1, 1), f'{serve(**answer)}/x-0123abcd.pth')
    part = ['.x-0123abcd.pth.part'] if 'broke off' in reason else []
    assert [path.name for path in stored(tmp_path)] == part


@pytest.mark.parametrize('path', ['..%2f..%2f..%2fx.pth', '%2fetc%2fx.pth', 'a/../../x.pth',
                                  'x%20y%27.pth', '%C3%BC.pth', '-x.pth'])
def test_downloads_stay_in_the_cache(serve, tmp_path, path):
    content = saved({'weight': torch.ones(1, 1), 'bias': torch.ones(1)})
    load_checkpoint(nn.Linear(1, 1), f'{serve(content)}/{path}')
    [file] = stored(tmp_path)
    assert file.parent == tmp_path / 'home/hub/checkpoints'


@pytest.mark.parametrize('url', [
    'http://127.0.0.1:9/', 'http://127.0.0.1:9/%2e%2e', 'http://127.0.0.1:9/a%00b.pth', 'http://[x',
    'http://127.0.0.1:9/' + 'x' * 300, 'http://127.0.0.1:no/x.pth', 'http:///x.pth',
    'https://é/x.pth', 'file:///etc/passwd', 'http://a b/x.pth', f'http://{"a" * 70}.b/x.pth', '://',
    'http://%00/x.pth'])
def test_addresses_of_no_use(serve, tmp_path, url):
    with pytest.raises(CheckpointError):
        load_checkpoint(nn.Linear(1, 1), url)
    assert stored(tmp_path) == []


def test_every_error_of_ours_is_one_for_users():
    """The fuzz tests count UserErrors as answers: none of Python's own is one."""
    assert not issubclass(UserError, (LookupError, TypeError, AttributeError, RuntimeError))
