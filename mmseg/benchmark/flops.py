"""Count what a model computes for one image, by torch's counter, module by module."""
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_segmentor
from mmseg.models.fast_forms import plain_forms

from .inputs import channels_of


@dataclass(frozen=True)
class Row:
    """A module: its name, its parameters and its multiply-adds (MACs), those inside included."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True)
class Complexity:
    """What a model computes for an input of `shape`, (channels, height, width)."""

    shape: tuple[int, int, int]
    rows: Sequence[Row]  # the whole model first
    fast_macs: int  # of the model as it is run here, with its fast forms

    @property
    def total(self) -> Row:
        """The whole model, auxiliary heads included in its parameters."""
        return self.rows[0]


def count_complexity(cfg: Config, shape: Sequence[int], depth: int = 2) -> Complexity:
    """Multiply-adds of a forward pass for one image, by the plain forms that papers count.

    `shape`: (height, width) or (channels, height, width); without channels, the backbone's. `depth`
    levels of modules get a row. Nothing is computed: tensors have no values. Only convolutions and
    products of matrices count. Raises ConfigError for an impossible shape or depth.
    """
    if not 2 <= len(shape) <= 3 or min(shape) < 1:
        raise ConfigError(f'--shape {" ".join(map(str, shape))}: give the height and the width of '
                          'an image, after the number of channels if it is not that of the config')
    if depth < 0:
        raise ConfigError(f'--depth {depth} must be 0 (the whole model) or more')
    channels = shape[0] if len(shape) == 3 else channels_of(cfg)
    shape = (channels, *shape[-2:])
    counts, model = _count(cfg, plain_forms(cfg.model), shape)
    fast, _ = _count(cfg, cfg.model, shape)
    rows = [Row(name or type(model).__name__, sum(p.numel() for p in module.parameters()),
                _macs(counts, name, module))
            for name, module in model.named_modules()
            if not name or name.count('.') < depth]
    return Complexity(shape, [row for row in rows if row.parameters or row.macs], fast[''])


def _macs(counts: dict[str, int], name: str, module: nn.Module) -> int:
    """Multiply-adds of a module, of which lists have those of what they hold."""
    if name in counts:
        return counts[name]
    return sum(_macs(counts, f'{name}.{child}', part) for child, part in module.named_children())


def _count(cfg: Config, model: dict, shape: tuple[int, int, int]
           ) -> tuple[dict[str, int], nn.Module]:
    """Multiply-adds by the name of the module, '' for all, and the model."""
    with torch.device('meta'):
        network = revert_sync_batchnorm(
            build_segmentor(model, cfg.get('train_cfg'), cfg.get('test_cfg'))).eval()
        image = torch.empty(1, *shape)
    network.forward = network.forward_dummy  # the counter names what is inside of a called module
    with FlopCounterMode(display=False, depth=None) as counter, torch.no_grad():
        network(image)
    root = type(network).__name__
    counts = {name.removeprefix(root).removeprefix('.'): sum(found.values()) // 2
              for name, found in counter.get_flop_counts().items() if name != 'Global'}
    counts[''] = counter.get_total_flops() // 2
    return counts, network


def format_complexity(found: Complexity) -> str:
    """A table by module, and the sums in the units of published tables."""
    from prettytable import PrettyTable
    table = PrettyTable(['module', 'parameters', 'GMACs', 'share'], align='r')
    table.align['module'] = 'l'
    for row in found.rows:
        table.add_row([row.name, f'{row.parameters:,}', f'{row.macs / 1e9:.2f}',
                       f'{row.macs / max(1, found.total.macs):.1%}'])
    return '\n'.join([
        table.get_string(),
        f'Input shape: {found.shape}',
        f'Flops: {found.total.macs / 1e9:.2f} GMACs (a multiply-add counts once; '
        f'{2 * found.total.macs / 1e9:.2f} GFLOP)',
        f'As computed here: {found.fast_macs / 1e9:.2f} GMACs, by the fast forms of its heads',
        f'Params: {found.total.parameters / 1e6:.2f} M',
        'Convolutions and products of matrices are counted; norms, activations and resizing by '
        'interpolation are not.'])
