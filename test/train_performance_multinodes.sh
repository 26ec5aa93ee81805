#!/usr/bin/env bash
# Measure the throughput of training PSPNet on several machines of 8 devices; start it on each:
#   bash test/train_performance_multinodes.sh --data_path=DIR/VOCdevkit/VOC2012 --nnodes=N \
#       --node_rank=0 --master_addr=IP --local_addr=IP [OPTIONS]      (rank 1, 2, ... elsewhere)
# What the variables of a scheduler tell (slurm, the Ascend Operator, Kubeflow, ...) may be left out.
# Writes what train_performance_8p.sh writes, the results on the machine of rank 0; the logs of
# the others are train_DEVICE_ID_nodeRANK.log.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/pspnet_job.sh"
needs_nnodes=1
pspnet_job performance 8 "$@"
