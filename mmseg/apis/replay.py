"""`tools/replay_batch.py`: run a saved training batch again and find the first infinite or NaN."""
from pathlib import Path
from typing import Any

import torch
from prettytable import PrettyTable
from torch import Tensor

from mmcv_replace.device import resolve_device
from mmcv_replace.device_start import start_device
from mmcv_replace.runner import Precision, load_state_dict, precision_from_config
from mmcv_replace.runner.checkpoints.replay_file import read_replay
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, ConfigError

from .cli import load_config
from .inference import load_weights
from .model import build_model, wrap_model
from .replay_trace import Trace, is_finite, trace_step
from .saved_config import read_saved_config
from .settings import check_settings

MOST_LABELS = 6  # shown in a row of the table
IGNORED = 255
# Entries that a file must have besides weights, with their types.
BATCH = {'img': Tensor, 'img_metas': list}
FACTS = {'iteration': int, 'rank': int, 'problem': str, 'losses': dict, 'files': list,
         'exact': bool}


def replay_batch(file: str | Path, device: str = 'auto', config: str | None = None,
                 checkpoint: str | None = None) -> tuple[str, bool]:
    """Run the batch in `file` through its model; returns a report, and whether all is finite.

    The config is that in the file, read without executing it, unless `config` names another; the
    weights are those in the file, or in `checkpoint`. A batch that is not finite in low precision
    is run in float32 as well. Raises CheckpointError or ConfigError for a file that lacks a part.
    """
    saved = read_replay(file)
    _check(saved, file)
    cfg = load_config(config) if config is not None else _saved_config(saved, file)
    check_settings(cfg)
    chosen = resolve_device(device)
    start_device(chosen, cfg.get(chosen.type))
    precision = precision_from_config(cfg, chosen)
    name = 'float32' if not precision.enabled else (
        f'{str(precision.dtype).removeprefix("torch.")} ({precision.opt_level})')
    runs = {name: _run(saved, cfg, precision, file, checkpoint)}
    first, = runs.values()
    if precision.enabled and not first.finite:
        runs['float32'] = _run(saved, cfg, Precision(chosen), file, checkpoint)
    parts = [_headline(saved, file, chosen, checkpoint), _losses(saved['facts']['losses'], runs),
             *(_findings(name, trace) for name, trace in runs.items()),
             _images(saved['batch'])]
    return '\n'.join(parts), first.finite


def _check(saved: dict[str, Any], file: str | Path) -> None:
    """Raise CheckpointError if the batch is not one of a segmentor, or its facts are incomplete."""
    for name, kinds in (('batch', BATCH), ('facts', FACTS)):
        held = saved[name] if isinstance(saved[name], dict) else {}
        for key, kind in kinds.items():
            if not isinstance(held.get(key), kind):
                raise CheckpointError(f'{file} cannot be replayed: its {name} has no {key!r} of '
                                      f'the kind {kind.__name__}, hence is not of a segmentor')


def _saved_config(saved: dict[str, Any], file: str | Path) -> Config:
    remedy = f'name the config of the run: --config CONFIG {file}'
    if not saved.get('config'):
        raise ConfigError(f'{file} has no config; {remedy}')
    return read_saved_config(saved['config'], file, remedy)


def _run(saved: dict[str, Any], cfg: Config, precision: Precision, file: str | Path,
         checkpoint: str | None) -> Trace:
    model = build_model(cfg)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    elif saved['state_dict'] is None:
        raise CheckpointError(f'{file} has no weights: by the time the run looked, they were not '
                              'finite any more. Give those of a checkpoint before it: --checkpoint '
                              "FILE. A run resumed from it with nonfinite.check='step' keeps them")
    else:
        load_state_dict(model, saved['state_dict'], strict=True, source=str(file))
    model = wrap_model(model, precision.device, False, precision).train()
    with torch.random.fork_rng(devices=[]):
        if saved['random_state'] is not None:
            torch.set_rng_state(saved['random_state'])
        return trace_step(model, saved['batch'])


def _headline(saved: dict[str, Any], file: str | Path, device: torch.device,
              checkpoint: str | None) -> str:
    facts = saved['facts']
    if checkpoint is not None:
        weights = f'of {checkpoint}'
    else:
        weights = 'those that met it' if facts['exact'] else 'of a few iterations later'
    return (f'{file}: iteration {facts["iteration"]}, rank {facts["rank"]}: {facts["problem"]}\n'
            f'replayed on {device}, weights: {weights}')


def _losses(recorded: dict[str, float], runs: dict[str, Trace]) -> str:
    table = PrettyTable(['loss', 'in the run', *runs], align='l')
    for name in dict.fromkeys([*recorded, *(key for run in runs.values() for key in run.losses)]):
        values = [recorded.get(name), *(run.losses.get(name) for run in runs.values())]
        table.add_row([name, *('-' if value is None else f'{value:.6g}' for value in values)])
    return str(table)


def _findings(name: str, trace: Trace) -> str:
    spoiled, total = trace.gradients
    lines = [f'{name}: {"all is finite" if trace.finite else "NOT finite"}']
    if trace.weight is not None:
        lines.append(f'  weights that are not finite: {trace.weight}, perhaps others')
    if trace.module is not None:
        lines.append(f'  first output that is not finite: {trace.module}')
    elif not is_finite(torch.tensor(list(trace.losses.values()))):
        lines.append('  every output of a module is finite: it is the loss itself')
    lines.append(f'  norm of the gradients: {trace.norm:.6g}')
    if trace.gradient is not None:
        lines.append(f'  gradients that are not finite: {spoiled} of {total}; '
                     f'the nearest to the loss: {trace.gradient}')
    return '\n'.join(lines)


def _images(batch: dict[str, Any]) -> str:
    """A table with a row for each image: statistics of the input tensor and shares of labels."""
    table = PrettyTable(['image', 'min', 'max', 'mean', 'not finite', 'labels (share)', 'ignored'],
                        align='l')
    labels = batch.get('gt_semantic_seg')
    for index, (image, meta) in enumerate(zip(batch['img'], batch['img_metas'], strict=True)):
        finite = torch.isfinite(image)
        numbers = image[finite]
        figures = ([f'{float(f(numbers)):.4g}' for f in (Tensor.min, Tensor.max, Tensor.mean)]
                   if len(numbers) else ['-'] * 3)
        table.add_row([meta.get('filename') or index, *figures, int((~finite).sum()),
                       *(['-'] * 2 if labels is None else _label_shares(labels[index]))])
    return str(table)


def _label_shares(label: Tensor) -> tuple[str, str]:
    """The most frequent labels with their shares, and the share of the ignored label."""
    values, counts = label.unique(return_counts=True)
    order = counts.argsort(descending=True).tolist()
    shares = {int(values[i]): f'{100 * int(counts[i]) / label.numel():.1f} %' for i in order}
    ignored = shares.pop(IGNORED, '0 %')
    texts = [f'{value}: {share}' for value, share in shares.items()]
    more = f', {len(texts) - MOST_LABELS} more' if len(texts) > MOST_LABELS else ''
    return ', '.join(texts[:MOST_LABELS]) + more, ignored
