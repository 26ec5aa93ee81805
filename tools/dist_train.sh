#!/usr/bin/env bash
# Train with one process a device.
#   bash tools/dist_train.sh CONFIG NPROC [OPTIONS] [--dry-run]
# OPTIONS are those of tools/train.py.
# On several machines, on each: NNODES=2 NODE_RANK=0 MASTER_ADDR=IP PORT=29500 bash ...
# (ADDR is MASTER_ADDR; NPROC is the number of processes on one machine.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 2 "$@"
dist_start "${arguments[1]}" train.py "${arguments[0]}" "${arguments[@]:2}"
