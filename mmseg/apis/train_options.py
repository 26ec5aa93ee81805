"""The options of `tools/train.py` and what each changes in the config."""
import argparse
from collections.abc import Sequence
from itertools import zip_longest

from mmcv_replace.runner.precision import OPT_LEVELS
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

STRICT = 'strict'


def split_deterministic(argv: Sequence[str]) -> list[str]:
    """The arguments, with `--deterministic=on` where the next word is not its value."""
    return [f'{word}=on' if word == '--deterministic' and after != STRICT else word
            for word, after in zip_longest(argv, argv[1:])]


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of training, under the names of mmsegmentation."""
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument('--load-from', help='checkpoint whose weights to start from')
    parser.add_argument('--resume-from', help='checkpoint of the run to go on with')
    parser.add_argument('--auto-resume', action='store_true',
                        help='go on from the newest sound checkpoint in the work dir, if there is '
                        'one; a job that torchrun or slurm starts again does so by itself')
    parser.add_argument('--resume-override', nargs='+', metavar='KEY',
                        help="settings that a resumed run takes from the config and not from the "
                        'checkpoint: optimizer.lr, optimizer.weight_decay, ..., or optimizer')
    parser.add_argument('--no-validate', action='store_true',
                        help='do not evaluate during the training')
    devices = parser.add_mutually_exclusive_group()
    devices.add_argument('--gpus', type=int, help='number of devices; more than one needs torchrun')
    devices.add_argument('--gpu-ids', type=int, nargs='+', help='index of the device to use')
    parser.add_argument('--seed', type=int, help='random seed; without one it is drawn and logged')
    parser.add_argument('--deterministic', nargs='?', const=True, default=False, metavar=STRICT,
                        type=_deterministic,
                        help='repeatable kernels: the same seed gives the same run; operators that '
                        f'have none are named in the log, with {STRICT!r} they are an error')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--loss-scale', type=_loss_scale, default='dynamic', metavar='N|dynamic',
                        help='loss scale of float16 mixed precision (default: dynamic)')
    parser.add_argument('--opt-level', choices=OPT_LEVELS, default='O1',
                        help='with --amp: O0 float32, O1 autocast (default), O2 low-precision '
                        'weights with float32 norms and master weights')
    parser.add_argument('--prof', action='store_true',
                        help='profile a few iterations into WORK_DIR/prof')


def apply_train_arguments(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options into the config; raises ConfigError for --gpus above 1 in one process."""
    for name in ('work_dir', 'load_from', 'resume_from', 'resume_override', 'seed'):
        if getattr(args, name) is not None:
            cfg[name] = getattr(args, name)
    if args.auto_resume:
        cfg.auto_resume = True
    if args.gpu_ids is not None and args.device_list is None:
        args.device_list = ','.join(map(str, args.gpu_ids))
    if args.gpus is not None and args.gpus > 1 and args.launcher == 'none':
        raise ConfigError(
            f'--gpus {args.gpus}: one process drives one device; start {args.gpus} of them with '
            f'bash tools/dist_train.sh CONFIG {args.gpus}')
    if args.amp and args.opt_level != 'O0':
        cfg.fp16 = dict(loss_scale=args.loss_scale, opt_level=args.opt_level)
    if args.prof:
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='ProfilerHook')]


def _deterministic(text: str) -> bool | str:
    if text not in ('on', STRICT):
        raise argparse.ArgumentTypeError(f'{text!r}: write {STRICT!r}, or nothing behind it')
    return True if text == 'on' else STRICT


def _loss_scale(text: str) -> float | str:
    return text if text == 'dynamic' else float(text)
