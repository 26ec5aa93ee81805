#!/usr/bin/env bash
# Test a checkpoint with one process a device.
#   bash tools/dist_test.sh CONFIG CHECKPOINT NPROC --eval mIoU [OPTIONS] [--dry-run]
# OPTIONS are those of tools/test.py.
# On several machines, on each: NNODES=2 NODE_RANK=0 MASTER_ADDR=IP PORT=29500 bash ...
# (ADDR is MASTER_ADDR; NPROC is the number of processes on one machine.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 3 "$@"
dist_start "${arguments[2]}" test.py "${arguments[@]:0:2}" "${arguments[@]:3}"
