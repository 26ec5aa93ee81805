"""Print a config with all that it inherits, or tell which files and options set a value."""
import argparse

from mmcv_replace.utils import Config, DictAction
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config, run_command


def explain(cfg: Config, key: str) -> str:
    """Which file or option set a key; of a key that none sets, whose default it is."""
    try:
        return cfg.explain(key)
    except ConfigError:  # defaults are found in the components, whose imports take time
        from mmseg.apis.explain import explain_key
        return explain_key(cfg, key)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--explain', metavar='KEY',
                        help='tell what set this key, such as data.train.pipeline, or whose '
                        'default it is')
    parser.add_argument('--options', '--cfg-options', nargs='+', action=DictAction, metavar='K=V',
                        help='values to lay over the config, such as model.backbone.depth=18')
    args = parser.parse_args()
    cfg = load_config(args.config, args.options)
    print(explain(cfg, args.explain) if args.explain else cfg.pretty_text.rstrip())


if __name__ == '__main__':
    raise SystemExit(run_command(main))
