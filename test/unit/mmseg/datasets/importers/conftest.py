"""Imports of exports made in a temporary folder."""
import numpy as np
import pytest
from PIL import Image

from mmseg.datasets.importers import Options, import_dataset


@pytest.fixture
def source(tmp_path):
    """A folder for the export of a tool."""
    (tmp_path / 'export').mkdir()
    return tmp_path / 'export'


@pytest.fixture
def run_import(tmp_path):
    """Import an export; returns its label maps by the names of the masks, classes and the report.
    """
    def run(tool, export, **options):
        out = tmp_path / 'out'
        report = import_dataset(tool, export, out, Options(**options))
        masks = {path.relative_to(out / 'masks').as_posix(): np.array(Image.open(path))
                 for path in (out / 'masks').rglob('*.png')}
        images = {path.relative_to(out / 'images').with_suffix('.png').as_posix()
                  for path in (out / 'images').rglob('*') if path.is_file()}
        assert set(masks) == images
        return masks, (out / 'classes.txt').read_text().splitlines(), report
    return run


@pytest.fixture
def nothing_left(tmp_path):
    """After the test the folder holds what it held before: no part of an import."""
    yield
    assert {path.name for path in tmp_path.iterdir()} <= {'export'}
