"""`zoo`: a training step and the inference of one model of each family, and a table of them all."""
import argparse
import copy
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean

from .inputs import write_config
from .report import Row
from .section import Section
from .steps import prepared_config, step_section

# Family, the folder of its configs -> its config that is measured, at the size it is trained with.
FAMILIES = {
    'ann': 'ann_r50-d8_512x512_20k_voc12aug',
    'apcnet': 'apcnet_r50-d8_512x512_80k_ade20k',
    'ccnet': 'ccnet_r50-d8_512x512_20k_voc12aug',
    'cgnet': 'cgnet_680x680_60k_cityscapes',
    'danet': 'danet_r50-d8_512x512_20k_voc12aug',
    'deeplabv3': 'deeplabv3_r50-d8_512x512_20k_voc12aug',
    'deeplabv3plus': 'deeplabv3plus_r50-d8_512x512_20k_voc12aug',
    'dmnet': 'dmnet_r50-d8_512x512_80k_ade20k',
    'dnlnet': 'dnl_r50-d8_512x512_80k_ade20k',
    'emanet': 'emanet_r50-d8_512x1024_80k_cityscapes',
    'encnet': 'encnet_r50-d8_512x512_20k_voc12aug',
    'fastscnn': 'fast_scnn_4x8_80k_lr0.12_cityscapes',
    'fcn': 'fcn_r50-d8_512x512_20k_voc12aug',
    'gcnet': 'gcnet_r50-d8_512x512_20k_voc12aug',
    'hrnet': 'fcn_hr18_512x512_20k_voc12aug',
    'mobilenet_v2': 'pspnet_m-v2-d8_512x512_160k_ade20k',
    'mobilenet_v3': 'lraspp_m-v3-d8_512x1024_320k_cityscapes',
    'nonlocal_net': 'nonlocal_r50-d8_512x512_20k_voc12aug',
    'ocrnet': 'ocrnet_hr18_512x512_20k_voc12aug',
    'point_rend': 'pointrend_r50_512x512_160k_ade20k',
    'psanet': 'psanet_r50-d8_512x512_20k_voc12aug',
    'pspnet': 'pspnet_r50-d8_512x512_20k_voc12aug',
    'resnest': 'pspnet_s101-d8_512x512_160k_ade20k',
    'sem_fpn': 'fpn_r50_512x512_160k_ade20k',
    'unet': 'unet_s5-d16_64x64_40k_drive',
    'upernet': 'upernet_r50_512x512_20k_voc12aug',
}
# Settings of a model here that give the form to which mmsegmentation 0.11 changed it.
LATER_FORM = {'fastscnn': {'model.backbone.revised': True, 'model.decode_head.dw_act_cfg': None}}
WORK = {'train': ('training step', 'step'), 'infer': ('inference', 'batch')}


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """For each chosen family a section of each kind of work, with files in a folder of its own."""
    return [section for family in _chosen(args.families)
            for section in _sections(args, family, folder / family)]


def _chosen(names: Sequence[str] | None) -> Sequence[str]:
    for name in names or ():
        if name not in FAMILIES:
            raise ConfigError(f'--families: there is no {name!r}{did_you_mean(name, FAMILIES)}; '
                              f'known are {", ".join(FAMILIES)}')
    return names or list(FAMILIES)


def _sections(args: argparse.Namespace, family: str, folder: Path) -> Iterable[Section]:
    folder.mkdir()
    own = argparse.Namespace(**{**vars(args), 'config': f'configs/{family}/{FAMILIES[family]}.py'})
    cfg = prepared_config(own)
    own.size = args.size or _size(cfg)
    later = copy.deepcopy(cfg)
    later.merge_from_dict(LATER_FORM.get(family, {}))
    for kind in args.work:
        what, unit = WORK[kind]
        place = folder / kind
        (place / 'own').mkdir(parents=True)
        options = {'config': write_config(later, place / 'own')}
        if kind == 'train':
            options['work_dir'] = str(place / 'work')
        section = step_section(own, place, later, f'{family}, {what}', calibrate=kind == 'infer',
                               case=kind, unit=unit, group=family, own=options)
        write_config(cfg, place)  # in place of the other, for the peers
        yield section


def _size(cfg: Config) -> tuple[int, int]:
    """Height and width that the model is trained with."""
    return tuple(cfg.crop_size)


def summary(measured: Sequence[tuple[Section, Sequence[Row]]]) -> dict[str, Any]:
    """Ratios to the last subject, a peer, by family and kind of work, and their geometric means.

    'speed' is the peer's time by ours, 'memory' our allocated memory by the peer's.
    """
    families: dict[str, dict[str, dict[str, float]]] = {}
    for section, rows in measured:
        own, peer = rows[0], rows[-1]
        if own is peer:
            continue
        found = {'speed': own.speedup(peer)}
        if own.allocated_mb and peer.allocated_mb:
            found['memory'] = own.allocated_mb / peer.allocated_mb
        families.setdefault(section.group, {})[section.case] = found
    means: dict[str, dict[str, float]] = {}
    for kind in WORK:
        for figure in ('speed', 'memory'):
            values = [own[kind][figure] for own in families.values()
                      if figure in own.get(kind, {})]
            if values:
                means.setdefault(kind, {})[figure] = math.exp(
                    sum(map(math.log, values)) / len(values))
    return {'families': families, 'means': means}


def format_summary(found: dict[str, Any], peer: str) -> str:
    """The ratios as a table, a row a family, the geometric means last."""
    from prettytable import PrettyTable
    table = PrettyTable(align='r')
    kinds = list(found['means'])
    table.field_names = ['family', *(f'{kind}: {figure}' for kind in kinds
                                     for figure in ('times as fast', 'share of memory'))]
    table.align['family'] = 'l'
    rows = {**found['families'], 'geometric mean': found['means']}
    for family, own in rows.items():
        figures = [own.get(kind, {}).get(figure) for kind in kinds
                   for figure in ('speed', 'memory')]
        table.add_row([family, *('' if value is None else f'{value:.2f}' for value in figures)],
                      divider=family == list(rows)[-2])
    return f'beside {peer}\n{table.get_string()}'

