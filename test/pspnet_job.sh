#!/usr/bin/env bash
# Sourced by test/train_*.sh: one PSPNet job, from its options to its result files.
#   pspnet_job MODE NPROC "$@"    MODE: full (train and evaluate), performance (train) or val
#                                 (evaluate a checkpoint); NPROC is the default of --nproc
. "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

needs_nnodes='' # set by a script for several machines, which requires their number
# Defaults of the options, besides those in launch.sh; empty ones leave the value to the config.
data_path='' device_id='' device_list='' output="$ROOT/output" local_addr='' addr=''
config="$ROOT/configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py" checkpoint=''
batch_size=16 learning_rate='' max_iters='' amp='' opt_level='' loss_scale=''
TRAINING=' batch_size learning_rate max_iters amp opt_level loss_scale '
OPTIONS="$TRAINING data_path config output checkpoint dry_run device device_id device_list nproc \
nnodes node_rank master_addr addr master_port local_addr "

usage() {
    header
    cat <<TEXT

Options are --key=value or --key value; their defaults are in parentheses.
  --data_path DIR       the data set, .../VOCdevkit/VOC2012
  --config FILE         (configs/pspnet/$(basename "$config"))
  --output DIR          where the folder DEVICE_ID/PSPNet goes (output, in the repository)
  --dry-run             print the commands and start nothing
Devices
  --device NAME         auto, npu, gpu or cpu (auto: npu, else gpu, else cpu)
  --nproc N             processes on this machine, one a device ($default_nproc)
  --device-list LIST    their devices, such as 0,1,2,3 (the first ones)
  --device_id N         the device of a single process; names the output folder (0, or the first
                        of --device-list)
Training
  --batch_size N        images a device in an iteration ($batch_size)
  --learning_rate X     (as the config says)
  --max_iters N         iterations (10000; performance: 1000)
  --amp                 mixed precision
  --opt-level LEVEL     with --amp: O0, O1 or O2 (O1)
  --loss-scale N        with --amp: a number, or dynamic (dynamic)
Evaluation of a checkpoint
  --checkpoint FILE     (ckpt/latest.pth in the output folder)
Several machines, each with this script; what the variables of a scheduler tell need not be given
  --nnodes N            how many
  --node_rank N         which of them this one is: 0, 1, ...
  --master_addr IP      the first one, as all of them reach it; --addr is the same
  --master_port N       a free port there (29500)
  --local_addr IP       this one, in the network of the first
TEXT
}

pspnet_job() {
    local mode="$1" default_nproc="$2" given=' '
    shift 2
    parse_options "$@"
    find_python
    check_options
    local folder="$output/$device_id/PSPNet"
    [ "$mode" != performance ] || folder+=_prof
    # Machines may share the folder: only the first one's log has the plain name.
    local suffix="$device_id"
    [ "$node_rank" = 0 ] || suffix+="_node$node_rank"
    set_environment
    set_address
    case "$mode" in
        full | performance) train ;;
        val) evaluate ;;
    esac
}

parse_options() {
    local name key value
    while [ $# -gt 0 ]; do
        name="${1%%=*}"
        key="${name#--}"
        key="${key//-/_}"
        case "$name" in
            -h | --help)
                usage
                exit 0
                ;;
            --?*) [[ $OPTIONS == *" $key "* ]] || fail "unknown option $name; see bash $0 --help" ;;
            *) fail "unexpected argument '$1'; see bash $0 --help" ;;
        esac
        if [[ $key = amp || $key = dry_run ]]; then
            [ "$1" = "$name" ] || fail "$name takes no value, but this is '$1'"
            value=1
        elif [ "$1" != "$name" ]; then
            value="${1#*=}"
        else
            [[ $# -gt 1 && $2 != --* ]] || fail "$name needs a value: $name=..."
            value="$2"
            shift
        fi
        printf -v "$key" %s "$value"
        given+="$key "
        shift
    done
}

check_options() {
    [ -n "$data_path" ] || fail "say where the data set is: --data_path=DIR/VOCdevkit/VOC2012"
    [[ $device != *:* ]] ||
        fail "--device=$device: give the index by --device_id (one device) or --device-list"
    if [ -n "$device_list" ]; then
        [[ $device_list =~ ^[0-9]+(,[0-9]+)*$ ]] ||
            fail "--device-list=$device_list is not a list of indices such as 0,1,2,3"
        local commas="${device_list//[0-9]/}"
        local listed=$((${#commas} + 1))
        [ "${nproc:-$listed}" = "$listed" ] ||
            fail "--nproc=$nproc, but --device-list=$device_list has $listed: give one of the two"
        nproc=$listed
    fi
    local given_nproc="$nproc"
    nproc="${nproc:-$default_nproc}"
    check_number --nproc "$nproc" 1
    check_machines
    # A scheduler sets the number of devices of a machine; a script for one device uses one.
    [ -n "$given_nproc" ] || [ "$nproc" = 1 ] || nproc="${local_size:-$nproc}"
    device_id="${device_id:-${device_list%%,*}}"
    device_id="${device_id:-0}"
    check_number --device_id "$device_id" 0
    check_number --batch_size "$batch_size" 1
    check_number --max_iters "${max_iters:-1}" 1
    [ "$nproc" != 1 ] || device_list="${device_list:-$device_id}"
}

check_machines() {
    check_number --nnodes "${nnodes:-1}" 1
    check_number --node_rank "${node_rank:-0}" 0
    check_port --master_port "$master_port"
    master_addr="${master_addr:-$addr}"
    local given_rank="$node_rank"
    find_node
    [ -n "$scheduler" ] || [ -z "$needs_nnodes" ] || [[ $given == *' nnodes '* ]] ||
        fail "say how many machines there are: --nnodes=N"
    local machines="${nnodes#*:}"
    if [ "$machines" -gt 1 ]; then
        [ -n "$scheduler$given_rank" ] ||
            fail "say which machine this is: --node_rank=0 to $((machines - 1))"
        [ -n "$master_addr" ] || [ "${#rendezvous[@]}" -gt 0 ] ||
            fail "say where the first machine is: --master_addr=IP"
    fi
    [ "$node_rank" -lt "$machines" ] ||
        fail "--node_rank=$node_rank: of --nnodes=$nnodes it is 0 to $((machines - 1))"
}

# Have the communication libraries use the network of --local_addr.
set_address() {
    [ -n "$local_addr" ] || return 0
    if uses_npu; then run export HCCL_IF_IP="$local_addr"; fi
    command -v ip >/dev/null || return 0
    local interface
    read -r _ interface _ < <(ip -o address show to "$local_addr" 2>/dev/null) || true
    if [ -n "$interface" ]; then
        run export GLOO_SOCKET_IFNAME="${GLOO_SOCKET_IFNAME:-$interface}"
        run export NCCL_SOCKET_IFNAME="${NCCL_SOCKET_IFNAME:-$interface}"
    elif [ -z "$dry_run" ]; then
        fail "--local_addr=$local_addr is not an address of this machine; ip address lists them"
    fi
}

train() {
    local iters interval
    case "$mode" in
        full) iters="${max_iters:-10000}" ;;
        performance) iters="${max_iters:-1000}" ;;
    esac
    # Short runs are logged, saved and evaluated at least once.
    interval=$((iters < 1000 ? iters : 1000))
    common_arguments
    arguments+=(--cfg-options "runner.max_iters=$iters" "checkpoint_config.interval=$interval"
        "evaluation.interval=$interval" "log_config.interval=$((iters < 50 ? iters : 50))"
        "data.samples_per_gpu=$batch_size")
    [ -z "$learning_rate" ] || arguments+=("optimizer.lr=$learning_rate")
    [ "$mode" = full ] || arguments+=(--no-validate)
    run "$PYTHON" "$ROOT/tools/preflight.py" "$config" "${machines[@]}" "${arguments[@]}"
    arguments+=(--work-dir "$folder/ckpt")
    [ -z "$amp" ] || arguments+=(--amp)
    [ -z "$opt_level" ] || arguments+=(--opt-level "$opt_level")
    [ -z "$loss_scale" ] || arguments+=(--loss-scale "$loss_scale")
    set_job train.py "$config" "${arguments[@]}"
    case "$mode" in
        full) run_job train "$folder/ckpt" acc ;;
        performance) run_job train "$folder/ckpt" perf acc ;;
    esac
}

evaluate() {
    local key
    for key in $TRAINING; do
        [[ $given != *" $key "* ]] || echo "note: --$key is for training, it changes nothing here" >&2
    done
    batch_size=1
    checkpoint="${checkpoint:-$folder/ckpt/latest.pth}"
    common_arguments
    run "$PYTHON" "$ROOT/tools/preflight.py" "$config" --checkpoint "$checkpoint" \
        "${machines[@]}" "${arguments[@]}"
    set_job test.py "$config" "$checkpoint" "${arguments[@]}" --eval mIoU --work-dir "$folder/val"
    run_job val "$folder/val" val
}

common_arguments() {
    arguments=(--data-root "$data_path" --device "$device")
    [ -z "$device_list" ] || arguments+=(--device-list "$device_list")
    machines=(--nproc "$nproc")
    [ "${#rendezvous[@]}" -gt 0 ] || machines+=(--nnodes "$nnodes" --node_rank "$node_rank")
    [ -z "$master_addr" ] || machines+=(--addr "$master_addr")
}

# run_job LOG_NAME WORK_DIR CASE...: run `job`, then write its figures to one file per case.
run_job() {
    local log="$folder/$1_$suffix.log" work_dir="$2" start=$SECONDS case
    shift 2
    run mkdir -p "$work_dir"
    run_logged "$log" "${job[@]}"
    if [ "$node_rank" != 0 ]; then
        [ -n "$dry_run" ] || echo "done; the results are on the machine with --node_rank=0"
        return
    fi
    local ranks=$((nproc * ${nnodes#*:})) results=()
    for case; do results+=("$folder/PSPNet_bs${batch_size}_${ranks}p_$case.log"); done
    run "$PYTHON" "$ROOT/tools/summarize_run.py" "$work_dir" --network PSPNet \
        --rank-size "$ranks" --batch-size "$batch_size" --seconds $((SECONDS - start)) \
        --result "${results[@]}"
}
