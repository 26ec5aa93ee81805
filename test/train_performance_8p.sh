#!/usr/bin/env bash
# Measure the throughput of training PSPNet on 8 devices: 1000 iterations, no evaluation.
#   bash test/train_performance_8p.sh --data_path=DIR/VOCdevkit/VOC2012 [OPTIONS]
# Writes output/DEVICE_ID/PSPNet_prof/: train_DEVICE_ID.log, ckpt/, and the results as
# PSPNet_bs16_8p_perf.log and PSPNet_bs16_8p_acc.log.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/pspnet_job.sh"
pspnet_job performance 8 "$@"
