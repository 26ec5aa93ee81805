#!/usr/bin/env bash
# Train on a slurm cluster with one process a device.
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [WORK_DIR] [OPTIONS] [--dry-run]
# OPTIONS are those of tools/train.py. Environment: GPUS=4 processes, GPUS_PER_NODE=4, CPUS_PER_TASK=5,
# SRUN_ARGS='more arguments of srun', such as --gres=npu:8 where devices are not called gpu.
# Two minutes before its time limit, and when it is preempted, the training saves and leaves with
# exit code 75. In a batch job (sbatch --requeue --signal=USR1@120 with this command in its script)
# the job is then put back into the queue, and goes on by itself when it starts again; elsewhere,
# run the command again with --auto-resume.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 3 "$@"
if [[ ${#arguments[@]} -gt 3 && ${arguments[3]} != -* ]]; then
    arguments[3]="--work-dir=${arguments[3]}"
fi
SRUN_ARGS="--signal=USR1@120 ${SRUN_ARGS:-}"
if [ -n "$dry_run" ] || [ -z "${SLURM_JOB_ID:-}" ]; then
    srun_start "${arguments[@]:0:2}" train.py "${arguments[@]:2}"
else
    code=0
    (srun_start "${arguments[@]:0:2}" train.py "${arguments[@]:2}") || code=$?
    [ "$code" != 75 ] || scontrol requeue "$SLURM_JOB_ID"
    exit "$code"
fi
