"""`python -m mmcv_replace.runner.clusters --nproc N`: what this shell is told of its node."""
import sys

from .launch import main

if __name__ == '__main__':
    sys.exit(main())
