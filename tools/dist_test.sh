#!/usr/bin/env bash
# Test a checkpoint with one process a device.
#   bash tools/dist_test.sh CONFIG CHECKPOINT NPROC --eval mIoU [OPTIONS] [--dry-run]
# OPTIONS are those of tools/test.py.
# On several machines, run it on each. Under slurm (srun --ntasks-per-node=1 bash ...), mpirun, the
# Ascend Operator, Volcano, Kubeflow or PAI the variables tell which machine this is; elsewhere, and
# to say otherwise: NNODES=2 NODE_RANK=0 MASTER_ADDR=IP PORT=29500 bash ...
# (ADDR is MASTER_ADDR; NPROC is the number of processes on one machine.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 3 "$@"
dist_start "${arguments[2]}" test.py "${arguments[@]:0:2}" "${arguments[@]:3}"
