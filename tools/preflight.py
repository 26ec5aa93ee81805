"""Check a job before its processes are started: the config, labels, data, a device for each.

The first line shows the versions of torch and of the software of the device.
"""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.device_report import software_report
from mmseg.apis.cli import load_config, run_command
from mmseg.apis.preflight import check_job
from mmseg.apis.process import add_common_arguments


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument('--nproc', type=int, default=1, help='processes on this machine (1)')
    parser.add_argument('--checkpoint', metavar='FILE', help='the job tests this checkpoint')
    parser.add_argument('--nnodes', type=int, help='machines (as the scheduler says, else 1)')
    parser.add_argument('--node_rank', type=int, help='which of them this one is: 0, 1, ...')
    parser.add_argument('--no-validate', action='store_true', help='the training is not validated')
    args = parser.parse_args(argv)
    print(software_report(args.device))
    cfg = load_config(args.config, args.cfg_options, args.data_root)
    print(check_job(cfg, args.device, args.device_list, args.nproc, args.checkpoint,
                    args.nnodes, args.node_rank, args.addr, not args.no_validate))


if __name__ == '__main__':
    sys.exit(run_command(main))
