"""The models of the reference's configs, from their published values."""
import copy
import functools
import importlib.util
import json

from mmseg.models import build_segmentor
from mmseg.models.fast_forms import plain_forms


@functools.cache
def _read(path):
    return json.loads(path.read_text())


def configs(shared_dir):
    """Config name -> its values, of all that mmsegmentation 0.10 has."""
    return _read(shared_dir / 'reference/configs_0.10.json')


def golden(shared_dir):
    """The module that fills and measures models."""
    spec = importlib.util.spec_from_file_location(
        'golden', shared_dir / 'reference/golden_tools/golden.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(cfg, fast=True, norm='SyncBN'):
    """The segmentor of a config's values, without pretrained weights.

    `fast=False` builds the plain form of each head and backbone that has a fast one.
    """
    cfg = copy.deepcopy(cfg)
    cfg['model']['pretrained'] = None
    if not fast:
        cfg['model'] = plain_forms(cfg['model'])
    text = json.dumps(cfg['model']).replace('"SyncBN"', json.dumps(norm))
    return build_segmentor(json.loads(text), cfg.get('train_cfg'), cfg.get('test_cfg'))


def shapes(model):
    return {key: list(value.shape) for key, value in model.state_dict().items()}
