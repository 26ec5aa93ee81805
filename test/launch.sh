#!/usr/bin/env bash
# Sourced by the launch scripts of test/ (through pspnet_job.sh) and of tools/.
#   find_python; set_environment     sets PYTHON and the variables of a job
#   find_node                        finds which of several machines this is, from a scheduler
#   set_job TOOL ARGUMENT...         sets `job` to the command that starts nproc processes here
#   run_logged LOG COMMAND...        runs it; a failure ends the script and shows the end of the log
#   dist_start NPROC TOOL ARGUMENT...             the body of tools/dist_*.sh
#   srun_start PARTITION NAME TOOL ARGUMENT...    the body of tools/slurm_*.sh
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
LOG_LINES=60

device=auto nproc='' nnodes='' node_rank='' master_addr='' master_port='' dry_run=''
scheduler='' foreign='' local_size='' rendezvous=()
# Variables by which mmcv_replace/runner/clusters recognises schedulers; it is run if one is set.
SCHEDULERS='SLURM_(JOB_ID|PROCID)|OMPI_COMM_WORLD_RANK|PMI_RANK|PET_NNODES|V[CK]_TASK_INDEX'
SCHEDULERS+='|VC_.*_HOSTS|RANK|WORLD_SIZE|LOCAL_RANK'
# Options of torchrun that set_job passes and that PET_ variables of the environment would set too.
TORCHRUN_VARIABLES='NNODES NODE_RANK NPROC_PER_NODE MASTER_ADDR MASTER_PORT STANDALONE RDZV_BACKEND
RDZV_ENDPOINT RDZV_ID MODULE NO_PYTHON RUN_PATH'

fail() {
    echo "error: $*" >&2
    exit 2
}

# The comment at the top of the script that was called.
header() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

show() {
    local line
    printf -v line '%q ' "$@"
    echo "${line% }"
}

# Run a command, or print it under --dry-run.
run() {
    if [ -n "$dry_run" ]; then show "$@"; else "$@"; fi
}

# check_number OPTION VALUE LOWEST
check_number() {
    [[ $2 =~ ^(0|[1-9][0-9]*)$ && $2 -ge $3 ]] || fail "$1=$2 is not a whole number from $3"
}

# check_port OPTION VALUE; '' is for a port that is chosen later
check_port() {
    [ -z "$2" ] || [[ $2 =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] ||
        fail "$1=$2 is not a port, 1 to 65535"
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        :
    elif [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]; then
        PYTHON=python
    elif [ -x "$ROOT/.venv/bin/python" ]; then
        PYTHON="$ROOT/.venv/bin/python"
    else
        PYTHON=python3
    fi
    [ -z "$dry_run" ] || return 0
    local missing
    missing="$("$PYTHON" -c 'from importlib.util import find_spec
print(*[name for name in ("torch", "cv2") if find_spec(name) is None])')" ||
        fail "cannot run $PYTHON; PYTHON=/path/to/python names another interpreter"
    [ -z "$missing" ] ||
        fail "$PYTHON lacks ${missing// / and }: activate the environment of the toolkit, or make" \
            "one: bash test/quickstart.sh does, and so does pip install -e '$ROOT'"
}

set_environment() {
    run export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
    # The toolkit imports the plug-in of the device that it uses. If torch imported it, a torch_npu
    # without CANN would end jobs on the CPU too.
    run export TORCH_DEVICE_BACKEND_AUTOLOAD="${TORCH_DEVICE_BACKEND_AUTOLOAD:-0}"
    if uses_npu; then run . "$ROOT/env_npu.sh"; fi
}

uses_npu() {
    [[ ${device,,} = npu || ($device = auto && -e /dev/davinci_manager) ]]
}

# Set those of nnodes, node_rank, master_addr and master_port that the user has left empty: from the
# variables of a scheduler, or for a single machine. From a scheduler also sets its name, local_size
# and rendezvous (arguments of torchrun); foreign=1 where there are variables of any.
find_node() {
    if env | grep -E "^($SCHEDULERS)=." >/dev/null; then ask_scheduler; fi
    nnodes="${nnodes:-1}" node_rank="${node_rank:-0}"
}

ask_scheduler() {
    local asked=(--nproc "$nproc") answer name value
    [ -z "$nnodes" ] || asked+=(--nnodes "$nnodes")
    [ -z "$node_rank" ] || asked+=(--node_rank "$node_rank")
    [ -z "$master_addr" ] || asked+=(--addr "$master_addr")
    [ -z "$master_port" ] || asked+=(--port "$master_port")
    # Not where the user has chosen an interface.
    [ -n "$dry_run${local_addr:-}${GLOO_SOCKET_IFNAME:-}" ] || asked+=(--interface)
    answer="$("$PYTHON" -I -c 'import sys
sys.path.insert(0, sys.argv[1])
from clusters.launch import main
sys.exit(main(sys.argv[2:]))' "$ROOT/mmcv_replace/runner" "${asked[@]}")" || exit 2
    local -A told=()
    while IFS='=' read -r name value; do
        if [ "$name" = rendezvous ]; then rendezvous+=("$value"); else told[$name]="$value"; fi
    done <<<"$answer"
    nnodes="${told[nnodes]}" node_rank="${told[node_rank]}" local_size="${told[local_size]}"
    case "${told[scheduler]}" in
        nobody) ;;
        'the user') foreign=1 ;;
        *) foreign=1 scheduler="${told[scheduler]}" ;;
    esac
    [ -z "${told[interface]:-}" ] || run export GLOO_SOCKET_IFNAME="${told[interface]}"
    # Processes of a single machine meet at a free port, unless the user gives an address.
    if [ "$nnodes" != 1 ] || [ -n "$master_addr" ]; then
        master_addr="${told[addr]}"
        [ -z "$master_addr" ] || master_port="${told[port]}"
    fi
}

set_job() {
    local tool="$ROOT/tools/$1" name
    shift
    # A scheduler's variables may describe other processes: torchrun replaces them.
    if [ "$nproc$nnodes$foreign" = 11 ]; then
        job=("$PYTHON" "$tool" "$@")
        return
    fi
    for name in $TORCHRUN_VARIABLES; do
        name="PET_$name"
        [ -z "${!name+set}" ] || run unset "$name"
    done
    # Without an address or port from the user: a free port of this machine.
    local meeting=(--standalone --local_addr 127.0.0.1)
    if [ "${#rendezvous[@]}" -gt 0 ]; then
        meeting=("${rendezvous[@]}")
    elif [ "$nnodes" != 1 ] || [ -n "$master_addr$master_port" ]; then
        meeting=(--node_rank "$node_rank" --master_addr "${master_addr:-127.0.0.1}"
            --master_port "${master_port:-29500}")
    fi
    job=("$PYTHON" "$ROOT/mmcv_replace/runner/elastic.py" --nproc_per_node "$nproc"
        --nnodes "$nnodes" "${meeting[@]}" "$tool" --launcher pytorch "$@")
    # Signals that torchrun forwards; its default lacks the one that warns of a time limit.
    run export PET_SIGNALS_TO_HANDLE="${PET_SIGNALS_TO_HANDLE:-SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1}"
    # The processes share the cores, of which each would use all by default.
    local threads=$(($(getconf _NPROCESSORS_ONLN) / nproc))
    run export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((threads > 0 ? threads : 1))}"
}

run_logged() {
    local log="$1" child code=0 again=0
    shift
    if [ -n "$dry_run" ]; then
        echo "$(show "$@") >$(printf %q "$log") 2>&1"
        return
    fi
    echo "log: $log"
    "$@" >"$log" 2>&1 &
    child=$!
    # A signal to this script ends the job: torchrun forwards it to its processes.
    trap 'kill "$child" 2>/dev/null || true' INT TERM
    wait "$child" || code=$?
    trap - INT TERM
    # A signal ends the wait with a code above 128, while the job may still save and exit with 75.
    wait "$child" || again=$?
    [ "$code" -le 128 ] || [ "$again" = 127 ] || code=$again
    [ "$code" != 0 ] || return 0
    {
        echo "--- the last lines of $log"
        # Frames of torchrun itself do not help.
        sed -E '/^  File "(.*runner.elastic\.py|<frozen runpy>)"/,/^    raise ChildFailedError/d' \
            "$log" | tail -n "$LOG_LINES"
        echo "--- failed with exit code $code; all of it: $log"
    } >&2
    exit "$code"
}

# --- tools/*.sh ----------------------------------------------------------------------------------

# take_arguments COUNT ARGUMENT...: set `arguments`, at least COUNT, and dry_run for --dry-run.
take_arguments() {
    local count="$1" argument
    shift
    arguments=()
    for argument; do
        case "$argument" in
            -h | --help)
                header
                exit 0
                ;;
            --dry-run) dry_run=1 ;;
            *) arguments+=("$argument") ;;
        esac
    done
    if [ "${#arguments[@]}" -lt "$count" ]; then
        header >&2
        fail "$count arguments are needed, ${#arguments[@]} given"
    fi
}

# Replace this shell by the job, for its signals and exit code; or print it under --dry-run.
finish() {
    if [ -n "$dry_run" ]; then show "$@"; else exec "$@"; fi
}

dist_start() {
    nproc="$1" nnodes="${NNODES:-}" node_rank="${NODE_RANK:-}"
    master_addr="${MASTER_ADDR:-${ADDR:-}}" master_port="${PORT:-}"
    shift
    check_number NPROC "$nproc" 1
    check_number NNODES "${nnodes:-1}" 1
    check_number NODE_RANK "${node_rank:-0}" 0
    [ "$nnodes" != 1 ] || node_rank='' # means nothing for one machine
    check_port PORT "$master_port"
    find_python
    find_node
    [ "$nnodes" = 1 ] || [ "${#rendezvous[@]}" -gt 0 ] || [ -n "$master_addr" ] ||
        fail "NNODES=$nnodes needs MASTER_ADDR=IP too"
    [ -z "$master_addr" ] || master_port="${master_port:-${MASTER_PORT:-}}"
    check_port MASTER_PORT "$master_port"
    [ "$node_rank" -lt "${nnodes#*:}" ] ||
        fail "NODE_RANK=$node_rank: of NNODES=$nnodes it is 0 to $((${nnodes#*:} - 1))"
    [ -z "${restarts:-}" ] || allow_restarts "$restarts"
    set_environment
    set_job "$@"
    finish "${job[@]}"
}

# allow_restarts N: when a process fails, torchrun restarts all of them, up to N times.
allow_restarts() {
    [ "$nproc$nnodes$foreign" != 11 ] ||
        fail "--max-restarts is torchrun's, which starts two processes or more: for one, run" \
            "tools/train.py --auto-resume again"
    # torchrun reads its options from variables with the prefix PET_.
    run export PET_MAX_RESTARTS="$1"
}

srun_start() {
    local partition="$1" name="$2" tool="$3" gpus="${GPUS:-4}"
    shift 3
    check_number GPUS "$gpus" 1
    local per_node="${GPUS_PER_NODE:-$((gpus < 4 ? gpus : 4))}"
    [ -n "$dry_run" ] || command -v srun >/dev/null ||
        fail "srun is not there: run this on a host of a slurm cluster, or use tools/dist_train.sh"
    find_python
    set_environment
    job=(srun -p "$partition" "--job-name=$name" "--gres=gpu:$per_node" "--ntasks=$gpus"
        "--ntasks-per-node=$per_node" "--cpus-per-task=${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1)
    # shellcheck disable=SC2206  # several arguments in one variable
    job+=(${SRUN_ARGS:-})
    job+=("$PYTHON" "$ROOT/tools/$tool" --launcher slurm "$@")
    finish "${job[@]}"
}
