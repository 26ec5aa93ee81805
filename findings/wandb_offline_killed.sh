#!/usr/bin/env bash
# wandb 0.31.0, mode='offline': what is logged reaches the file of the run in batches, every 15
# seconds. Where the job is killed (SIGKILL to its process group, as by a scheduler or a container's
# end), the file of a run of a few seconds is an empty header, although the service that writes it
# is a process of its own and `log` returned long before. With the setting
# x_transaction_log_flush_interval=1 a second is lost at most.
#
# Output:
#   killed after 3 s: 7 bytes, without what was logged
#   killed after 20 s: with what was logged
#   killed after 3 s, x_transaction_log_flush_interval=1: with what was logged
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 wandb==0.31.0
cat > run.py <<'PYTHON'
import sys
import time

import wandb

settings = wandb.Settings(silent=True, **eval(sys.argv[1]))
run = wandb.init(mode='offline', project='p', settings=settings)
for step in range(5):
    run.log({'needle': step}, step=step)
run.log({'needle': 5}, step=5)
print(run.dir, flush=True)
time.sleep(60)
PYTHON
"$folder/venv/bin/python" - 2> errors <<'PYTHON' || { cat errors; exit 1; }
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def kept(seconds, settings):
    run = subprocess.Popen([sys.executable, 'run.py', repr(settings)], stdout=subprocess.PIPE,
                           text=True, start_new_session=True)
    place = Path(run.stdout.readline().strip()).parent
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    time.sleep(1)
    file, = place.glob('*.wandb')
    return file.read_bytes()


early = kept(3, {})
assert len(early) == 7, len(early)
print(f'killed after 3 s: {len(early)} bytes, without what was logged')
assert b'needle' in kept(20, {})
print('killed after 20 s: with what was logged')
assert b'needle' in kept(3, {'x_transaction_log_flush_interval': 1.0})
print('killed after 3 s, x_transaction_log_flush_interval=1: with what was logged')
PYTHON
