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


def city_parser(description: str, out_dir: str, archives: str) -> argparse.ArgumentParser:
    """The parser for tiles of a city; its names are the parameters of `aerial.isprs.convert_city`.

    `out_dir` is the default of -o, `archives` the help for the folder of the archives.
    """
    parser = converter_parser(description, 'folder of the data set', out_dir, tmp_dir=True)
    parser.add_argument('dataset_path', metavar='ARCHIVES', help=archives)
    parser.add_argument('--clip-size', '--clip_size', dest='clip_size', type=int, default=512,
                        help='width and height of windows in pixels (512)')
    parser.add_argument('--stride-size', '--stride_size', dest='stride_size', type=int,
                        help='pixels from one window to the next (the size of the windows)')
    add_unknown(parser, 'nearest')
    return parser


def add_unknown(parser: argparse.ArgumentParser, default: str = 'error') -> None:
    """Add --unknown, for labels in colours; 'nearest' is a choice where it is the default."""
    choices = {'nearest': 'the class whose colour is near, else an error',
               'error': 'an error', 'ignore': 'ignored pixels'}
    if default != 'nearest':
        del choices['nearest']
    told = ', '.join(f'{name} ({what})' for name, what in choices.items())
    parser.add_argument('--unknown', choices=list(choices), default=default,
                        help=f'what colours that no class has become: {told}; by default {default}')


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number}: there must be one process at least')
    return number
