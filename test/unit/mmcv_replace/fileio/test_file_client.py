import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mmcv_replace import BaseStorageBackend, FileClient
from mmcv_replace.utils.errors import ConfigError, DataError


@pytest.fixture
def url():
    """Address of a server on this machine that knows one file."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == '/a.txt' else 404)
            self.end_headers()
            self.wfile.write('grün'.encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def backends(monkeypatch):
    monkeypatch.setattr(FileClient, 'backends', dict(FileClient.backends))


def test_disk(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('grün', encoding='utf-8')
    assert FileClient().get(path) == 'grün'.encode()
    assert FileClient(backend='disk').get_text(str(path)) == 'grün'
    path.write_bytes(b'\xff')
    with pytest.raises(DataError, match=r'a\.txt is not a UTF-8 text file'):
        FileClient().get_text(path)
    with pytest.raises(DataError, match=r'cannot read .*none: No such file'):
        FileClient().get(tmp_path / 'none')


def test_http(url, monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    client = FileClient('http', timeout=10)
    assert client.get_text(f'{url}/a.txt') == 'grün'
    assert client.get(f'{url}/a.txt') == 'grün'.encode()
    with pytest.raises(DataError, match=r'cannot fetch http://.*/b\.txt: .*404'):
        client.get(f'{url}/b.txt')


def test_http_reads_no_local_files():
    with pytest.raises(DataError, match="not 'file:///etc/passwd'"):
        FileClient('http').get('file:///etc/passwd')


def test_http_time_out(monkeypatch):
    asked = []

    def urlopen(url, timeout):
        asked.append(timeout)
        raise TimeoutError('timed out')

    monkeypatch.setattr('urllib.request.urlopen', urlopen)
    with pytest.raises(DataError, match='timed out'):
        FileClient('http', timeout=3).get('http://x/y')
    assert asked == [3]


def test_own_backend(backends):
    @FileClient.register_backend('memory')
    class Memory(BaseStorageBackend):
        def __init__(self, content):
            self.content = content

        def get(self, filepath):
            return self.content[filepath]

    assert FileClient('memory', content={'a': b'x'}).get_text('a') == 'x'
    with pytest.raises(ConfigError, match=r"'memory' exists already \(.*Memory\).*force=True"):
        FileClient.register_backend('memory', Memory)
    FileClient.register_backend('memory', Memory, force=True)


def test_unknown_backend():
    with pytest.raises(ConfigError, match="unknown file backend 'ceph': choose disk, http, or"):
        FileClient('ceph')
