"""Read the file FILE as what each line of the input says; one line of answer each.

Usage: worker.py FILE
"""
import faulthandler
import resource
import sys
import warnings
from pathlib import Path

from torch import nn

from mmcv_replace.image import imfrombytes
from mmcv_replace.runner import load_checkpoint
from mmcv_replace.utils.errors import UserError
from mmseg.datasets.masks.annotation import decode_label

GIBIBYTE = 2**30


def read(kind, path):
    if kind == 'checkpoint':
        model = nn.Linear(2, 2)
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.5)
        load_checkpoint(model, path)
        if any((parameter != 0.5).any() for parameter in model.parameters()):
            return 'ok, other weights'
    elif kind == 'mask':
        decode_label(path.read_bytes(), str(path))
    else:
        flag, backend = kind.split()
        imfrombytes(path.read_bytes(), flag, backend=backend, name=str(path))
    return 'ok'


def main():
    faulthandler.enable()
    warnings.simplefilter('ignore')
    # Whoever asks for more is told so, and the machine goes on.
    resource.setrlimit(resource.RLIMIT_AS, (12 * GIBIBYTE,) * 2)
    for line in sys.stdin:
        try:
            answer = read(line.strip(), Path(sys.argv[1]))
        except UserError as error:
            answer = f'UserError: {error}'
        except BaseException as error:
            answer = f'{type(error).__name__}: {error!r}'
        print(answer.replace('\n', ' '), flush=True)


if __name__ == '__main__':
    main()
