"""The options by which models choose between a fast form of a computation and the plain one."""
import copy
import inspect
from collections.abc import Iterator

from mmcv_replace.utils import Registry

from .builder import BACKBONES, HEADS, NECKS

FAST_FORMS = ('fuse_pyramid', 'fuse_attention', 'fuse_concat')


def parts_of(model: dict) -> Iterator[tuple[Registry, dict]]:
    """(registry, config) of the backbone, the neck and each head in the config of a segmentor."""
    yield BACKBONES, model['backbone']
    if model.get('neck'):
        yield NECKS, model['neck']
    for key in ('decode_head', 'auxiliary_head'):
        heads = model.get(key) or []
        yield from ((HEADS, head) for head in (heads if isinstance(heads, list | tuple)
                                               else [heads]))


def plain_forms(model: dict) -> dict:
    """A copy of a segmentor's config with the plain form of all its parts."""
    model = copy.deepcopy(model)
    for registry, part in parts_of(model):
        known = inspect.signature(registry.get(part['type']).__init__).parameters
        for name in FAST_FORMS:
            if name in known:
                part[name] = False
    return model
