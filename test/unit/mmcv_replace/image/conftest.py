import numpy as np
import pytest


@pytest.fixture
def photo():
    """A colour image with structure at every scale: [37, 52, 3] uint8."""
    rows, columns = np.mgrid[:37, :52]
    smooth = 120 + 60 * np.sin(rows / 7)[..., None] * np.cos(columns[..., None] / (3, 5, 9))
    noise = np.random.RandomState(0).randint(-50, 51, (37, 52, 3))
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def label():
    """A label map [37, 52] uint8 with 21 classes."""
    return np.random.RandomState(1).randint(0, 21, (37, 52)).astype(np.uint8)
