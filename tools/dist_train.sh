#!/usr/bin/env bash
# Train with one process a device.
#   bash tools/dist_train.sh CONFIG NPROC [OPTIONS] [--max-restarts N] [--dry-run]
# OPTIONS are those of tools/train.py. When a process fails, all are started again, at most N times
# (0 by default), and go on from the newest checkpoint in the work dir.
# On several machines, run it on each. Under slurm (srun --ntasks-per-node=1 bash ...), mpirun, the
# Ascend Operator, Volcano, Kubeflow or PAI the variables tell which machine this is; elsewhere, and
# to say otherwise: NNODES=2 NODE_RANK=0 MASTER_ADDR=IP PORT=29500 bash ...
# (ADDR is MASTER_ADDR; NPROC is the number of processes on one machine.)
# Exit code: that of the training, so 75 where it was told to stop and has saved; 1 for the failure of
# one of several processes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../test/launch.sh"
take_arguments 2 "$@"
options=() restarts=''
for ((i = 2; i < ${#arguments[@]}; i++)); do
    case "${arguments[i]}" in
        --max-restarts | --max_restarts)
            i=$((i + 1))
            restarts="${arguments[i]:-none}"
            ;;
        --max-restarts=* | --max_restarts=*) restarts="${arguments[i]#*=}" ;;
        *) options+=("${arguments[i]}") ;;
    esac
done
[ -z "$restarts" ] || check_number --max-restarts "$restarts" 0
dist_start "${arguments[1]}" train.py "${arguments[0]}" ${options[@]+"${options[@]}"}
