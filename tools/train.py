"""Train a model: python tools/train.py CONFIG [--work-dir DIR] [--cfg-options KEY=VALUE ...]."""
import argparse
import sys
from collections.abc import Sequence

from mmseg.apis.cli import load_config, run_command
from mmseg.apis.own.options import add_own_data_arguments, apply_own_data_arguments
from mmseg.apis.process import add_common_arguments, start_process
from mmseg.apis.train_job import train_from_config
from mmseg.apis.train_options import add_train_arguments, apply_train_arguments, split_deterministic


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a segmentation model')
    add_common_arguments(parser)
    add_train_arguments(parser)
    add_own_data_arguments(parser)
    return parser.parse_args(split_deterministic(sys.argv[1:] if argv is None else argv))


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options, args.data_root)
    apply_train_arguments(cfg, args)
    apply_own_data_arguments(cfg, args)
    process = start_process(cfg, args.device, args.launcher, args.device_list, args.local_rank,
                            args.addr)
    train_from_config(cfg, process, not args.no_validate, args.deterministic)


if __name__ == '__main__':
    sys.exit(run_command(main))
