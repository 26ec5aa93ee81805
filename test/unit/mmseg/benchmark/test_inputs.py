"""What all subjects of a benchmark read."""
import numpy as np

from mmcv_replace.utils import Config
from mmseg.benchmark.inputs import channels_of, write_batch


def test_a_batch_has_the_channels_of_the_model(tmp_path):
    for backbone, channels in ((dict(in_channels=5), 5), ({}, 3)):
        cfg = Config(dict(model=dict(backbone=backbone)))
        batch = np.load(write_batch(tmp_path, 2, (8, 9), 4, channels_of(cfg)))
        assert batch['img'].shape == (2, channels, 8, 9)
        assert batch['label'].shape == (2, 8, 9)
