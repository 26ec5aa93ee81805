"""The command line of tools/benchmark.py."""
import argparse

from mmcv_replace.utils import DictAction

DEFAULT_CONFIG = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Parser with a subcommand for each benchmark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)

    train = commands.add_parser('train', help='a training step')
    _add_common(train)
    _add_computing(train, 2, (512, 512))
    train.add_argument('--from-jpegs', metavar='DATA_ROOT',
                       help='also feed the training from these files by the config\'s pipeline')
    train.add_argument('--workers', type=int, default=4, help='loading processes for it (4)')

    infer = commands.add_parser('infer', help='inference by one pass')
    _add_common(infer)
    _add_computing(infer, 1, (512, 512))

    slide = commands.add_parser('slide', help='inference by overlapping windows')
    _add_common(slide)
    _add_computing(slide, 1, (1024, 2048))
    _add_windows(slide)

    predict = commands.add_parser('predict', help='files to masks and painted pictures')
    _add_common(predict)
    predict.add_argument('--data-root', help='VOC2012 folder; synthetic images without it')
    predict.add_argument('--images', type=_positive, default=8, help='images per round (8)')

    large = commands.add_parser('large', help='a large image, from its file to its mask')
    _add_common(large)
    _add_pair(large, '--size', (4000, 4000), 'of the image')
    _add_windows(large)

    zoo = commands.add_parser('zoo', help='one model of each family: training step and inference')
    _add_common(zoo, config=False)
    _add_computing(zoo, 2, None, 'the crop size of each config')
    zoo.add_argument('--families', nargs='+', metavar='NAME', help='folders of configs (all)')
    zoo.add_argument('--work', nargs='+', choices=('train', 'infer'), default=['train', 'infer'],
                     help='both by default')

    _add_pipeline(commands.add_parser('pipeline', help='files to samples, one process'))

    evaluation = commands.add_parser('eval', help='confusion matrix and mIoU')
    _add_common(evaluation, '1')
    _add_pair(evaluation, '--size', (512, 512), 'of the label maps')
    evaluation.add_argument('--classes', type=_positive, nargs='+', default=[21, 150],
                            help='numbers of classes, a table for each (21 150)')
    evaluation.add_argument('--images', type=_positive, default=20, help='maps per round (20)')

    _add_common(commands.add_parser('startup', help='imports, config and model of tools/test.py'))
    _add_common(commands.add_parser('checkpoint', help='the wait of the loop for a save'))
    return parser


def _add_pipeline(parser: argparse.ArgumentParser) -> None:
    _add_common(parser, '1')
    parser.add_argument('--case', default='voc-train',
                        choices=('voc-train', 'voc-test', 'cityscapes-train',
                                 'cityscapes-png-train', 'ade-train'))
    parser.add_argument('--data-root', help='VOC2012 folder; synthetic images without it')
    parser.add_argument('--images', type=_positive, default=24, help='images per round (24)')
    parser.add_argument('--uint8', action='store_true',
                        help='also hand over uint8 images, which the device normalises')
    parser.add_argument('--imdecode-backend', metavar='NAME',
                        help='decoder of the images of this toolkit (that of the config)')
    parser.add_argument('--disk-cache', action='store_true',
                        help='also keep decoded samples in files: the first and the second pass')


def _add_common(parser: argparse.ArgumentParser, threads: str = 'each subject decides',
                config: bool = True) -> None:
    if config:
        parser.add_argument('config', nargs='?', default=DEFAULT_CONFIG,
                            help=f'config file ({DEFAULT_CONFIG})')
    else:
        parser.set_defaults(config=None)
    parser.add_argument('--cfg-options', '--options', dest='cfg_options', nargs='+',
                        action=DictAction, metavar='KEY=VALUE', help='change config values')
    parser.add_argument('--rounds', type=_positive, default=5, help='measured rounds (5)')
    parser.add_argument('--warmup', type=int, default=1, help='rounds before them (1)')
    parser.add_argument('--threads', type=_positive, help=f'OMP_NUM_THREADS of all ({threads})')
    parser.add_argument('--device', default='auto', help='auto (default), npu, gpu, cuda or cpu')
    parser.add_argument('--plain', action=argparse.BooleanOptionalAction, default=True,
                        help='compare with the plain form of test/reference')
    parser.add_argument('--peer-python', action='append', default=[], metavar='PATH',
                        help='Python of an environment with mmsegmentation 0.x or 1.x; repeatable')
    parser.add_argument('--inspect', action=argparse.BooleanOptionalAction, default=True,
                        help='count operations and memory in two further, untimed rounds')
    parser.add_argument('--profile', action='store_true',
                        help='print where the time goes (of train, infer, slide and pipeline), '
                        'also with --no-inspect')
    parser.add_argument('--json', metavar='FILE.json', help='write the figures to this file too')


def _add_computing(parser: argparse.ArgumentParser, batch: int, size: tuple[int, int] | None,
                   default: str = '') -> None:
    parser.add_argument('--batch', type=_positive, default=batch, help=f'images ({batch})')
    _add_pair(parser, '--size', size, 'of the images', default)
    parser.add_argument('--steps', type=_positive, metavar='N',
                        help='of which a round is the mean (1 on the CPU, else 20)')
    parser.add_argument('--amp', nargs='?', const='auto', choices=('auto', 'float16', 'bfloat16'),
                        help="mixed precision, by default in the device's type; peers stay in "
                        'float32')


def _add_windows(parser: argparse.ArgumentParser) -> None:
    _add_pair(parser, '--crop', (512, 512), 'size of a window')
    _add_pair(parser, '--stride', (341, 341), 'distance between windows')


def _add_pair(parser: argparse.ArgumentParser, name: str, default: tuple[int, int] | None,
              what: str, words: str = '') -> None:
    parser.add_argument(name, type=_positive, nargs=2, default=default, metavar=('H', 'W'),
                        help=f'{what} ({words or " ".join(map(str, default))})')


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} must be at least 1')
    return number
