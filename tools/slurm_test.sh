#!/usr/bin/env bash
# Test a checkpoint on a slurm cluster with one process a device.
#   bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT --eval mIoU [OPTIONS] [--dry-run]
# OPTIONS are those of tools/test.py. Environment: GPUS=4 processes, GPUS_PER_NODE=4, CPUS_PER_TASK=5,
# SRUN_ARGS='more arguments of srun', such as --gres=npu:8 where devices are not called gpu.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 4 "$@"
srun_start "${arguments[@]:0:2}" test.py "${arguments[@]:2}"
