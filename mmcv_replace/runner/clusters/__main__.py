"""`python -m mmcv_replace.runner.clusters --nproc N` prints which node of a job this is."""
import sys

from .launch import main

if __name__ == '__main__':
    sys.exit(main())
