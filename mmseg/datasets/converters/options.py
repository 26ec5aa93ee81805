"""The options that all converters have on the command line."""
import argparse


def converter_parser(description: str, out_dir: str, default: str | None = None,
                     tmp_dir: bool = False) -> argparse.ArgumentParser:
    """A parser with -o (its help is `out_dir`) and --nproc, and with --tmp_dir where asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('-o', '--out-dir', '--out_dir', dest='out_dir', default=default,
                        help=out_dir if default is None else f'{out_dir} ({default})')
    parser.add_argument('--nproc', type=_number, default=1, help='number of processes (1)')
    if tmp_dir:
        parser.add_argument('--tmp-dir', '--tmp_dir', dest='tmp_dir',
                            help="folder for what is unpacked, and deleted at the end (the "
                                 "system's)")
    return parser


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number}: there must be one process at least')
    return number
