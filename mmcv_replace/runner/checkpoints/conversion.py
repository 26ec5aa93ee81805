"""Converts checkpoints between mmsegmentation 0.x and 1.x, torchvision and timm."""
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

from ...utils.errors import CheckpointError
from .describe import as_version_0, as_version_1, described
from .key_names import NAMINGS, OURS, translate
from .portable import unwrapped, write_portable
from .weights import _load_checkpoint, weights_in

FORMATS = ('0.x', '1.x', *NAMINGS)
# Parts of a segmentor's keys, by which it is told from a backbone.
SEGMENTOR = ('backbone.', 'decode_head.', 'neck.', 'auxiliary_head.')

logger = logging.getLogger('mmseg')


def convert_checkpoint(source: str | Path, target: str | Path, to: str) -> Path:
    """Write the weights of any of the formats in the format `to`; returns the path of the file.

    A segmentor stays whole in 0.x and 1.x; of torchvision and timm there are backbones only,
    without their classifiers. The file ends in .safetensors or is one of torch.
    """
    checkpoint = convert(_load_checkpoint(source), to, str(source))
    if Path(target).exists() and Path(source).exists() and Path(target).samefile(source):
        raise CheckpointError(f'{target} is the checkpoint to convert: give the result another '
                              'name, since not all of it may be converted')
    return write_portable(checkpoint, target)


def convert(checkpoint: dict[str, Any], to: str, source: str = 'the checkpoint'
            ) -> dict[str, Any]:
    """`convert_checkpoint` of what was read; a bare dict of weights for a foreign format."""
    if to not in FORMATS:
        raise CheckpointError(f'there is no format {to!r}: use one of {", ".join(FORMATS)}')
    weights = unwrapped(weights_in(checkpoint))
    if not weights:
        raise CheckpointError(f'{source} holds no weights')
    state: dict[str, Any] = weights
    is_segmentor = any(key.startswith(SEGMENTOR) for key in state)
    if to in NAMINGS:
        state = _to_foreign(state, is_segmentor, to, source)
        return OrderedDict(state)
    if not is_segmentor:
        state = _to_ours(state, source)
    meta = described(checkpoint)
    meta = as_version_0(meta) if to == '0.x' else as_version_1(meta)
    return {'meta': meta, 'state_dict': _with_versions(state, weights)}


def _to_ours(state: dict[str, Any], source: str) -> dict[str, Any]:
    found, left = translate(state, OURS)
    _tell(source, left, 'which a segmentor does not have')
    return found


def _to_foreign(state: dict[str, Any], is_segmentor: bool, to: str, source: str) -> dict[str, Any]:
    if is_segmentor:
        heads = [key for key in state if not key.startswith('backbone.')]
        _tell(source, heads, f'which {to} does not have')
        state = {key.removeprefix('backbone.'): value for key, value in state.items()
                 if key.startswith('backbone.')}
    found, left = translate(state, to)
    _tell(source, left, f'which {to} does not have')
    return found


def _with_versions(state: dict[str, Any], weights: Any) -> 'OrderedDict[str, Any]':
    """The state with the versions of its modules, which torch keeps beside it."""
    result = OrderedDict(state)
    metadata = getattr(weights, '_metadata', None)
    if metadata is not None:
        result._metadata = OrderedDict(metadata)
    return result


def _tell(source: str, left: list[str], why: str) -> None:
    if left:
        more = f' and {len(left) - 5} more' if len(left) > 5 else ''
        logger.info('%s: left out %s%s, %s', source, ', '.join(left[:5]), more, why)
