"""The model of a config, to look at and not to compute with."""
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.utils import Config
from mmseg.models import build_segmentor


def build_idle_model(cfg: Config) -> nn.Module:
    """Build the model in a moment: its random weights are never drawn."""
    with DeferredInit():
        return build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
