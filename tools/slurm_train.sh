#!/usr/bin/env bash
# Train on a slurm cluster with one process a device.
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [WORK_DIR] [OPTIONS] [--dry-run]
# OPTIONS are those of tools/train.py. Environment: GPUS=4 processes, GPUS_PER_NODE=4, CPUS_PER_TASK=5,
# SRUN_ARGS='more arguments of srun', such as --gres=npu:8 where devices are not called gpu.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 3 "$@"
if [[ ${#arguments[@]} -gt 3 && ${arguments[3]} != -* ]]; then
    arguments[3]="--work-dir=${arguments[3]}"
fi
srun_start "${arguments[@]:0:2}" train.py "${arguments[@]:2}"
