#!/usr/bin/env bash
# Evaluate the PSPNet that train_full_8p.sh has trained, on 8 devices.
#   bash test/train_val_8p.sh --data_path=DIR/VOCdevkit/VOC2012 [OPTIONS]
# Writes output/DEVICE_ID/PSPNet/: val_DEVICE_ID.log, val/eval_TIME.json (all scores) and
# PSPNet_bs1_8p_val.log (results).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/pspnet_job.sh"
pspnet_job val 8 "$@"
