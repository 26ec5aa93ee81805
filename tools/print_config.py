"""Print a config with all that it inherits, or tell which files and options set a value."""
import argparse

from mmcv_replace.utils import DictAction
from mmseg.apis.bootstrap import load_config, run_command


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--explain', metavar='KEY',
                        help='tell what set this key, such as data.train.pipeline')
    parser.add_argument('--options', '--cfg-options', nargs='+', action=DictAction, metavar='K=V',
                        help='values to lay over the config, such as model.backbone.depth=18')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.options)
    print(cfg.explain(args.explain) if args.explain else cfg.pretty_text.rstrip())


if __name__ == '__main__':
    raise SystemExit(run_command(main))
