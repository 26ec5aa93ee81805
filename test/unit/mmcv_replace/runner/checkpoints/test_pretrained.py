"""Downloads from a server on this machine."""
import errno
import hashlib
import http.server
import io
import json
import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

from mmcv_replace.runner import load_checkpoint
from mmcv_replace.runner.checkpoints import download, pretrained
from mmcv_replace.runner.checkpoints.download import expected_hash
from mmcv_replace.runner.checkpoints.model_zoo import get_external_models, get_torchvision_models
from mmcv_replace.runner.checkpoints.pretrained import resolve_checkpoint
from mmcv_replace.runner.heartbeat import Outcome, run_with_heartbeat
from mmcv_replace.utils.errors import CheckpointError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch_home'))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    return tmp_path / 'torch_home' / 'hub' / 'checkpoints'


@pytest.fixture
def weights():
    """A checkpoint's bytes, and its name with the right hash."""
    buffer = io.BytesIO()
    torch.save({'weight': torch.tensor([[3.0]]), 'bias': torch.tensor([4.0])}, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    return buffer.getvalue(), f'toy-{digest[:8]}.pth'


@pytest.fixture
def server(weights):
    """Serves the weights at every address but those with 'missing'; counts the requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests.append(self.path)
            begin = self.headers['Range'] or ''
            self.server.ranges.append(begin)
            if 'missing' in self.path:
                self.send_error(404)
                return
            if 'garbled' in self.path:
                self.wfile.write(b'this is not HTTP\r\n\r\n')
                return
            begin = int(begin.removeprefix('bytes=').removesuffix('-') or 0)
            if begin >= len(weights[0]):
                self.send_error(416)
                return
            begin = 0 if 'forgetful' in self.path else begin
            rest = weights[0][begin:]
            self.send_response(206 if begin else 200)
            # The whole length is announced, also when the connection breaks off early.
            self.send_header('Content-Length', str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[:100] if 'broken' in self.path else rest)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as running:
        running.requests, running.ranges = [], []
        thread = threading.Thread(target=running.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        running.url = f'http://127.0.0.1:{running.server_port}'
        yield running
        running.shutdown()
        thread.join()


def test_local_paths_are_left_alone(tmp_path):
    assert resolve_checkpoint(tmp_path / 'x.pth') == tmp_path / 'x.pth'
    assert str(resolve_checkpoint('work/x.pth')) == 'work/x.pth'


def test_downloads_once_to_the_cache_of_torch(server, cache, weights):
    content, name = weights
    for _ in range(2):
        assert resolve_checkpoint(f'{server.url}/a/{name}?raw=1') == cache / name
    assert server.requests == [f'/a/{name}?raw=1']
    assert (cache / name).read_bytes() == content
    assert [path.name for path in cache.iterdir()] == [name]


@pytest.mark.parametrize(('scheme', 'table'), [
    ('open-mmlab', 'open_mmlab'), ('openmmlab', 'open_mmlab'), ('torchvision', 'torchvision')])
def test_names_of_the_zoo(server, cache, weights, monkeypatch, tmp_path, scheme, table):
    monkeypatch.setenv('MMCV_HOME', str(tmp_path))
    (tmp_path / f'{table}.json').write_text(json.dumps({'toy': f'{server.url}/{weights[1]}'}))
    model = nn.Linear(1, 1)
    load_checkpoint(model, f'{scheme}://toy', strict=True)
    assert (model.weight.item(), model.bias.item()) == (3, 4)


def test_published_names_carry_their_hash():
    for models in (get_external_models(), get_torchvision_models()):
        without = [url for url in models.values()
                   if not expected_hash(pretrained.cache_path(url))]
        assert {url.rpartition('/')[2] for url in without} <= {
            'vgg_state_dict.pth', 'model_best_resnet34_En_nomixup.pth', 'mobilenet_v2.pth'}
    assert get_external_models()['resnet50_v1c'] == (
        'https://download.openmmlab.com/pretrain/third_party/resnet50_v1c-2cccc1ad.pth')


def test_wrong_download_is_not_kept(server, cache):
    with pytest.raises(CheckpointError, match='expected 0123abcd'):
        resolve_checkpoint(f'{server.url}/toy-0123abcd.pth')
    assert list(cache.iterdir()) == []


def test_broken_download_of_unknown_content_is_not_kept(server, cache):
    with pytest.raises(CheckpointError, match='broke off after 100 of'):
        resolve_checkpoint(f'{server.url}/broken/toy.pth')
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize('kind', ['good', 'forgetful'])
def test_broken_download_is_continued(server, cache, weights, kind):
    """Also by a server that sends the whole file again."""
    content, name = weights
    progress = []
    for taken in (100, 200):
        with pytest.raises(CheckpointError, match=rf'broke off after {taken} of {len(content)} '
                           r'bytes \(the next attempt continues there\)'):
            resolve_checkpoint(f'{server.url}/broken/{name}')
        assert [path.name for path in cache.iterdir()] == [f'.{name}.part']
    resolve_checkpoint(f'{server.url}/{kind}/{name}', watch=lambda *at: progress.append(at))
    assert server.ranges == ['', 'bytes=100-', 'bytes=200-']
    assert progress == [(len(content), len(content))]
    assert (cache / name).read_bytes() == content
    assert [path.name for path in cache.iterdir()] == [name]


def test_a_part_that_is_whole_needs_no_server(cache, weights):
    content, name = weights
    cache.mkdir(parents=True)
    (cache / f'.{name}.part').write_bytes(content)
    assert resolve_checkpoint(f'http://127.0.0.1:9/{name}').read_bytes() == content


@pytest.mark.parametrize('length', [50, 100_000])
def test_a_part_of_another_file_is_given_up(server, cache, weights, length):
    """A short one when the whole is there, a long one because nothing can follow it."""
    content, name = weights
    cache.mkdir(parents=True)
    part = cache / f'.{name}.part'
    part.write_bytes(b'?' * length)
    if length < len(content):
        with pytest.raises(CheckpointError, match='it was changed there or on the way'):
            resolve_checkpoint(f'{server.url}/{name}')
        assert not part.exists()
    assert resolve_checkpoint(f'{server.url}/{name}').read_bytes() == content


def test_processes_that_want_the_same_file_make_one_request(server, cache, weights):
    content, name = weights
    cache.mkdir(parents=True)
    code = ('import sys; from pathlib import Path; '
            'from mmcv_replace.runner.checkpoints.download import download; '
            'download(sys.argv[1], Path(sys.argv[2]))')
    processes = [subprocess.Popen([sys.executable, '-c', code, f'{server.url}/{name}',
                                   str(cache / name)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (cache / name).read_bytes() == content
    assert len(server.requests) == 1


@pytest.mark.parametrize('kind', ['address', 'in capitals', 'folder', 'in the home', 'with blanks'])
def test_a_mirror_takes_the_place_of_the_host(server, cache, weights, tmp_path, monkeypatch, kind):
    content, name = weights
    folder = tmp_path / 'mirror'
    (folder / 'v0.5').mkdir(parents=True)
    (folder / 'v0.5' / name).write_bytes(content)
    monkeypatch.setenv('HOME', str(tmp_path))
    mirror, requested = {
        'address': (f'{server.url}/copies/', '/copies'),
        'in capitals': (server.url.replace('http', 'HTTP'), ''),
        'folder': (str(folder), None),
        'in the home': (' ~/mirror/', None),
        'with blanks': (f'{server.url}/all copies ', '/all%20copies')}[kind]
    monkeypatch.setenv('MMSEG_MIRROR', mirror)
    url = f'https://download.example.org/v0.5/{name}'
    assert resolve_checkpoint(url).read_bytes() == content
    assert server.requests == ([] if requested is None else [f'{requested}/v0.5/{name}'])
    with pytest.raises(CheckpointError, match='cannot download .*v0.5/missing.pth.*put it at '
                       '.*, or set MMSEG_MIRROR to an address or a folder that has v0.5/missing'):
        resolve_checkpoint('https://download.example.org/v0.5/missing.pth')


@pytest.mark.parametrize('mirror', ['ftp://mirror', 'http://', '/no/folder', 'host:80/mirror'])
def test_a_mirror_of_another_kind(cache, monkeypatch, mirror):
    monkeypatch.setenv('MMSEG_MIRROR', mirror)
    with pytest.raises(CheckpointError, match=f'MMSEG_MIRROR={mirror} must be an address .*, or a '
                       'folder that exists'):
        resolve_checkpoint('https://download.example.org/toy.pth')


def test_a_blank_mirror_is_none(server, cache, weights, monkeypatch):
    monkeypatch.setenv('MMSEG_MIRROR', ' ')
    assert resolve_checkpoint(f'{server.url}/{weights[1]}').is_file()


@pytest.mark.parametrize('kind', ['a file', 'a folder', 'full'])
def test_a_place_that_cannot_be_written_is_not_taken_for_a_fault_of_the_network(
        server, cache, weights, monkeypatch, kind):
    cache.parent.mkdir(parents=True, exist_ok=True)
    if kind == 'a file':
        cache.touch()
    elif kind == 'a folder':  # where the unfinished file would be
        (cache / f'.{weights[1]}.part').mkdir(parents=True)
    else:
        def full(*_):
            raise OSError(errno.ENOSPC, 'No space left on device')
        monkeypatch.setattr(download, '_fill', full)
    with pytest.raises(CheckpointError, match=f'cannot write {cache}/{weights[1]}: .*; make the '
                       'folder writable, free some space, or choose another'):
        resolve_checkpoint(f'{server.url}/{weights[1]}')


def test_wrong_file_in_the_cache_is_named(server, cache, weights):
    cache.mkdir(parents=True)
    (cache / weights[1]).write_bytes(b'something else')
    with pytest.raises(CheckpointError, match=f'{weights[1]} is not what it should be.*delete it'):
        resolve_checkpoint(f'{server.url}/{weights[1]}')
    assert server.requests == []


@pytest.mark.parametrize('name', ['toy.pth', 'toy-small.pth', 'toy-20230131.pth'])
def test_names_without_hash_are_not_checked(server, cache, name):
    assert resolve_checkpoint(f'{server.url}/{name}').is_file()


@pytest.mark.parametrize('address', ['http://127.0.0.1:9', None])
def test_no_connection_says_where_to_put_the_file(server, cache, address):
    """Port 9 (discard) refuses connections; the server itself answers 404."""
    with pytest.raises(CheckpointError) as error:
        resolve_checkpoint(f'{address or server.url}/missing-0123abcd.pth')
    assert str(cache / 'missing-0123abcd.pth') in str(error.value)
    assert '--cfg-options model.pretrained=None' in str(error.value)


def test_an_answer_that_is_not_http(server, cache):
    with pytest.raises(CheckpointError, match='cannot download'):
        resolve_checkpoint(f'{server.url}/garbled.pth')


def test_a_file_put_there_by_hand_is_found(cache, weights):
    cache.mkdir(parents=True)
    (cache / weights[1]).write_bytes(weights[0])
    assert resolve_checkpoint(f'http://127.0.0.1:9/{weights[1]}') == cache / weights[1]


@pytest.mark.parametrize(('name', 'message'), [
    ('open-mmlab://resnet50_v1d', "did you mean 'resnet50_v1c'"),
    ('s3://bucket/x.pth', 'open-mmlab://'),
    ('http://127.0.0.1:9/', 'does not end in the name of a file'),
])
def test_unknown_names(cache, name, message):
    with pytest.raises(CheckpointError, match=message):
        resolve_checkpoint(name)


# Several processes: the wait for the others is replaced by one that knows what they say.

@pytest.fixture
def as_rank(monkeypatch):
    def pretend(leader, others_failed=0, meanwhile=lambda: None):
        def wait(work):
            [own] = run_with_heartbeat(work)
            meanwhile()
            return [own, Outcome(failure='no network' if others_failed else None)]

        monkeypatch.setattr(pretrained, 'is_node_leader', lambda: leader)
        monkeypatch.setattr(pretrained, 'run_with_heartbeat', wait)
    return pretend


def test_only_the_leader_downloads(server, cache, weights, as_rank):
    content, name = weights

    def meanwhile():
        cache.mkdir(parents=True)
        (cache / name).write_bytes(content)

    as_rank(leader=False, meanwhile=meanwhile)
    assert resolve_checkpoint(f'{server.url}/{name}') == cache / name
    assert server.requests == []


def test_leader_downloads_before_the_others_go_on(server, cache, weights, as_rank):
    seen = []
    as_rank(leader=True, meanwhile=lambda: seen.append((cache / weights[1]).is_file()))
    resolve_checkpoint(f'{server.url}/{weights[1]}')
    assert seen == [True]


def test_all_fail_when_one_fails(server, cache, weights, as_rank):
    as_rank(leader=False, others_failed=1)
    with pytest.raises(CheckpointError, match='rank 1 could not provide http.*: no network'):
        resolve_checkpoint(f'{server.url}/{weights[1]}')
    reached = []
    as_rank(leader=True, meanwhile=lambda: reached.append(True))
    with pytest.raises(CheckpointError, match='cannot download'):
        resolve_checkpoint(f'{server.url}/missing.pth')
    assert reached == [True]  # the others are not left waiting


def test_an_unforeseen_failure_does_not_leave_the_others_waiting(cache, as_rank, monkeypatch):
    def fail(*_):
        raise PermissionError('no')

    reached = []
    monkeypatch.setattr(pretrained, '_provide', fail)
    as_rank(leader=True, meanwhile=lambda: reached.append(True))
    with pytest.raises(PermissionError):
        resolve_checkpoint('http://127.0.0.1:9/x.pth')
    assert reached == [True]


def test_separate_caches_are_noticed(server, cache, weights, as_rank):
    as_rank(leader=False)
    with pytest.raises(CheckpointError, match='TORCH_HOME'):
        resolve_checkpoint(f'{server.url}/{weights[1]}')
