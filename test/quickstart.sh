#!/usr/bin/env bash
# From a fresh machine to a trained, scored and painted PSPNet in one command.
#   bash test/quickstart.sh                      on a synthetic VOC devkit, made here
#   bash test/quickstart.sh --data_path=DIR      on yours: DIR is .../VOCdevkit/VOC2012
# Options: --output=DIR (default: quickstart)  --device=auto|npu|gpu|cpu  --max_iters=N
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

data_path= output="$ROOT/quickstart" device=auto max_iters=
while [ $# -gt 0 ]; do
    case "$1" in
        --data_path=* | --output=* | --device=* | --max_iters=*)
            key="${1%%=*}"
            declare "${key#--}=${1#*=}"
            ;;
        -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
        *) echo "unknown option $1; see: bash test/quickstart.sh --help" >&2; exit 2 ;;
    esac
    shift
done
CONFIG=configs/pspnet/pspnet_r18-d16_128x128_quickstart.py

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "1/5 Environment"
use_environment sbd
"$PYTHON" -c 'import platform, torch; print("Python", platform.python_version(), " PyTorch", torch.__version__)'
mkdir -p "$output"
output="$(cd "$output" && pwd)"
[ -z "$data_path" ] || data_path="$(cd "$data_path" && pwd)"
cd "$ROOT"

step "2/5 Data"
if [ -z "$data_path" ]; then
    "$PYTHON" tools/make_synthetic_voc.py "$output/VOCdevkit" --nproc "$(nproc)"
    data_path="$output/VOCdevkit/VOC2012"
fi
devkit="$(dirname "$data_path")"
if [ -f "$data_path/ImageSets/Segmentation/aug.txt" ]; then
    echo "$data_path/ImageSets/Segmentation/aug.txt is there: already converted"
else
    "$PYTHON" tools/convert_datasets/voc_aug.py "$devkit" "$devkit/VOCaug" --nproc "$(nproc)"
fi

step "3/5 Training"
work_dir="$output/work_dir"
options=()
[ -z "$max_iters" ] || options=(--cfg-options "runner.max_iters=$max_iters")
"$PYTHON" tools/train.py "$CONFIG" --data-root "$data_path" --work-dir "$work_dir" \
    --device "$device" --seed 0 --no-validate "${options[@]}"

step "4/5 Evaluation"
"$PYTHON" tools/test.py "$CONFIG" "$work_dir/latest.pth" --data-root "$data_path" \
    --device "$device" --eval mIoU --show-dir "$output/painted" --work-dir "$output/scores"

step "5/5 Where everything is"
cat <<EOF
checkpoints   $work_dir/*.pth
logs          $work_dir/*.log, *.log.json
config        $work_dir/$(basename "$CONFIG")
pictures      $output/painted/
scores        $output/scores/*.json

Next, with real data (README.md says how to lay it out):
  bash test/quickstart.sh --data_path=DIR/VOCdevkit/VOC2012        this small model, minutes
  python tools/train.py configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py \\
      --data-root DIR/VOCdevkit/VOC2012                            the published recipe
(use $PYTHON, or activate its environment first)
EOF
