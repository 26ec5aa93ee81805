"""The options for data of one's own, `--images DIR --masks DIR`: each sets a value of `own_data`.
"""
import argparse
from dataclasses import fields

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.own import OwnDataSettings

OPTIONS = ('images', 'masks', 'val_images', 'val_masks', 'val_fraction', 'classes')


def add_own_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; `own_data` of the config has more settings."""
    own = parser.add_argument_group('your own data, in the place of those of the config')
    own.add_argument('--images', metavar='DIR', help='folder of images')
    own.add_argument('--masks', metavar='DIR', help='folder of their masks, under the same names')
    own.add_argument('--val-images', metavar='DIR', help='folder of images to validate on')
    own.add_argument('--val-masks', metavar='DIR', help='folder of the masks of these')
    own.add_argument('--val-fraction', type=float, metavar='SHARE',
                     help='the share of the images to validate on, without --val-images (0.1)')
    own.add_argument('--classes', metavar='FILE_OR_LIST',
                     help="a file with a class a line, a labelmap.txt, or 'road,building,sky'")


def apply_own_data_arguments(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options into `own_data`; ConfigError for some that lack others or contradict."""
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    if not given:
        return
    known = dict(cfg.get('own_data') or {})
    lacking = [field.name for field in fields(OwnDataSettings)[:2]
               if field.name not in {**known, **given}]
    options = ', '.join(f'--{name.replace("_", "-")}' for name in given)
    if lacking:
        raise ConfigError(f'{options} without {" and ".join(f"--{name}" for name in lacking)}: '
                          'give the folders of the images and of their masks')
    if args.data_root is not None:
        raise ConfigError(f'{options} replaces the data of the config, and --data-root is the '
                          'folder of those: leave one of them out')
    cfg.merge_from_dict({f'own_data.{name}': value for name, value in given.items()})
