"""Packages under the names that they have in mmcv.image.io."""
import importlib
import importlib.util
from unittest.mock import Mock, patch

import pytest
from PIL import Image

import mmcv_replace.image.io as io_module
from mmcv_replace.image import use_backend
from mmcv_replace.image.io import EXTRAS


@pytest.mark.parametrize(('name', 'backend'), [
    ('Image', 'pillow'), ('TurboJPEG', 'turbojpeg'), ('tifffile', 'tifffile')])
def test_tests_of_users_let_a_package_be_absent(name, backend):
    with patch(f'mmcv_replace.image.io.{name}', None):
        with pytest.raises(ImportError, match=f'{backend}.* is not installed: pip install'):
            use_backend(backend)
        use_backend('cv2')
    if importlib.util.find_spec(EXTRAS[backend][0]):
        use_backend(backend)
        use_backend('cv2')


def test_names_of_packages(monkeypatch):
    assert io_module.Image is Image
    monkeypatch.setattr(importlib, 'import_module', Mock(side_effect=ImportError))
    assert io_module.tifffile is None
    with pytest.raises(AttributeError, match='has no attribute'):
        io_module.Imago  # noqa: B018
