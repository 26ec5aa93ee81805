"""One of two processes of test_heartbeat.py: python heartbeat_process.py RANK PORT CASE."""
import datetime
import os
import sys
import time

import torch.distributed as dist

from mmcv_replace.runner import dist_utils, heartbeat, init_dist
from mmcv_replace.runner.dist_utils import leave_dist
from mmcv_replace.utils.errors import DataError

RANK, CASE = int(sys.argv[1]), sys.argv[3]
# Seconds without a heartbeat; what a loaded machine may need does not matter where one is dead.
LIMIT = {'long': 3, 'dies': 1}.get(CASE, 120)


def work():
    if CASE == 'long':
        time.sleep(4)  # longer than the time-out
    elif CASE == 'fails':
        raise ZeroDivisionError('rank 0 divides')
    elif CASE == 'dies':
        os._exit(0)
    return {'answer': 42}


def main():
    os.environ.update(RANK=str(RANK), LOCAL_RANK=str(RANK), WORLD_SIZE='2', MASTER_ADDR='unused',
                      MASTER_PORT='0')
    store = dist.TCPStore('127.0.0.1', int(sys.argv[2]), is_master=False)
    # The processes may take long to start: the time-out is shortened when they have met.
    init_dist('pytorch', 'gloo', store=store, rank=RANK, world_size=2, timeout=120)
    limit = datetime.timedelta(seconds=LIMIT)
    dist.distributed_c10d._set_pg_timeout(limit)
    dist_utils._group_options['timeout'] = limit
    try:
        said = [str(heartbeat.run_on_first_rank(work, 'the work', DataError)) for _ in range(2)]
    except Exception as error:
        said = [f'{type(error).__name__}: {error}']
    else:
        everywhere = heartbeat.run_with_heartbeat(lambda: RANK)
        said.append(str([outcome.value for outcome in everywhere]))
        leave_dist()
    os.write(1, ' '.join(said).encode())
    os._exit(0)


main()
