import os

import pytest

from mmseg.datasets.pipelines import loading


@pytest.fixture
def results(data_root):
    """What a data set hands in for a sample of `data_root`, before any step."""
    def make(index, **more):
        return dict(img_info=dict(filename=f'{index}.jpg'), ann_info=dict(seg_map=f'{index}.png'),
                    img_prefix=str(data_root / 'img'), seg_prefix=str(data_root / 'ann'),
                    seg_fields=[], num_classes=4, label_map={0: 1, 1: 0}, **more)
    return make


@pytest.fixture
def decoded(monkeypatch):
    """The names of the image files that were decoded since it was cleared."""
    names, decode = [], loading.imfrombytes
    monkeypatch.setattr(loading, 'imfrombytes', lambda content, **options: names.append(
        os.path.basename(options['name'])) or decode(content, **options))
    return names


@pytest.fixture
def folder(tmp_path):
    """A folder for a cache, which does not exist yet."""
    return tmp_path / 'kept'
