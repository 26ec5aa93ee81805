"""Run a program written for mmcv: python -m mmcv_replace (SCRIPT | -m MODULE) [ARGUMENT ...]

For programs that import mmcv before mmseg, where nothing has given mmcv its meaning yet. It has the
same meaning in the processes that the program starts.
"""
import os
import runpy
import sys

from .alias import FOR_CHILDREN, install_alias


def main(arguments: list[str]) -> None:
    as_module = arguments[:1] == ['-m']
    program = arguments[as_module:]
    if not program:
        sys.exit(f'no program is given\n{__doc__}')
    if program[0] in ('-h', '--help'):
        sys.stdout.write(__doc__)
        return
    install_alias()
    os.environ['PYTHONPATH'] = os.pathsep.join(
        [FOR_CHILDREN, *filter(None, [os.environ.get('PYTHONPATH')])])
    sys.argv = program
    if as_module:
        runpy.run_module(program[0], run_name='__main__', alter_sys=True)
    else:
        path = os.path.abspath(program[0])
        if not os.path.exists(path):
            sys.exit(f'there is no program {path}')
        sys.path[0] = os.path.dirname(os.path.realpath(path))
        runpy.run_path(path, run_name='__main__')


if __name__ == '__main__':
    main(sys.argv[1:])
