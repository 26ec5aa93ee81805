import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files into the current folder, which is a temporary one."""
    monkeypatch.chdir(tmp_path)

    def write_file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        return path

    return write_file
