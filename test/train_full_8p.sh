#!/usr/bin/env bash
# Train PSPNet on the 8 devices of this machine for 10,000 iterations, evaluating every 1000.
#   bash test/train_full_8p.sh --data_path=DIR/VOCdevkit/VOC2012 [OPTIONS]
# Writes output/DEVICE_ID/PSPNet/: train_DEVICE_ID.log, ckpt/, PSPNet_bs16_8p_acc.log (results).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/pspnet_job.sh"
pspnet_job full 8 "$@"
