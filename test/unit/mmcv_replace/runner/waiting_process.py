"""One of two processes of test_waiting.py: python waiting_process.py RANK PORT CASE."""
import datetime
import os
import sys
import time

import torch.distributed as dist

from mmcv_replace.runner import init_dist, waiting
from mmcv_replace.runner.dist_utils import leave_dist
from mmcv_replace.utils.errors import DataError

RANK, CASE = int(sys.argv[1]), sys.argv[3]


def work():
    if CASE == 'long':
        time.sleep(4)  # four times the time-out
    elif CASE == 'fails':
        raise ZeroDivisionError('rank 0 divides')
    elif CASE == 'dies':
        os._exit(0)
    return {'answer': 42}


def main():
    os.environ.update(RANK=str(RANK), LOCAL_RANK=str(RANK), WORLD_SIZE='2', MASTER_ADDR='unused',
                      MASTER_PORT='0')
    store = dist.TCPStore('127.0.0.1', int(sys.argv[2]), is_master=False)
    init_dist('pytorch', 'gloo', store=store, rank=RANK, world_size=2,
              timeout=datetime.timedelta(seconds=1))
    try:
        for _ in range(2):
            found = waiting.first_rank_does(work, 'the work', DataError)
            sys.stdout.write(f'{found} ')
    except Exception as error:
        sys.stdout.write(f'{type(error).__name__}: {error}')
    else:
        everywhere = waiting.work_and_wait(lambda: RANK)
        sys.stdout.write(str([outcome.value for outcome in everywhere]))
        leave_dist()
    sys.stdout.flush()
    os._exit(0)


main()
