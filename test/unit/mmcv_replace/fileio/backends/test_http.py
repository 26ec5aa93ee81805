import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mmcv_replace import FileClient, list_from_file
from mmcv_replace.utils.errors import DataError


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


def test_addresses_find_it_by_their_prefix(url, monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    assert list_from_file(f'{url}/a.txt') == ['grün']
    assert list_from_file(f'{url}/a.txt', file_client_args=dict(prefix='http')) == ['grün']


def test_local_copy(url, monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with FileClient('http').get_local_path(f'{url}/a.txt') as path:
        assert Path(path).suffix == '.txt'
        assert Path(path).read_text(encoding='utf-8') == 'grün'
    assert not Path(path).exists()
